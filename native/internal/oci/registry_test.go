package oci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func init() { firstWait = time.Millisecond }

// registry serves one image as app:1 and notes what it was asked for.
type registry struct {
	*blobs
	mutex  sync.Mutex
	asked  []string
	handle func(w http.ResponseWriter, r *http.Request) (done bool)
}

func (s *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	s.asked = append(s.asked, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
	s.mutex.Unlock()
	if s.handle != nil && s.handle(w, r) {
		return
	}
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case r.URL.Path == "/v2/":
	case r.URL.Path == "/v2/app/manifests/1":
		w.Header().Set("Content-Type", ociManifest)
		w.Write(s.manifest)
	case s.all[name] != nil:
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(s.all[name])))
	default:
		http.NotFound(w, r)
	}
}

func (s *registry) count(part string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	n := 0
	for _, path := range s.asked {
		if strings.Contains(path, part) {
			n++
		}
	}
	return n
}

// layerPath is where the first layer lies.
func (s *registry) layerPath() string {
	m, _ := parseManifest(s.manifest, "")
	return "/v2/app/blobs/" + m.Layers[0].Digest
}

func serve(t *testing.T, b *blobs, handle func(s *registry, w http.ResponseWriter, r *http.Request) bool) (*registry, *Pull) {
	t.Helper()
	s := &registry{blobs: b}
	if handle != nil {
		s.handle = func(w http.ResponseWriter, r *http.Request) bool { return handle(s, w, r) }
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, pullFrom(t, server)
}

func pullFrom(t *testing.T, server *httptest.Server) *Pull {
	host := strings.TrimPrefix(strings.TrimPrefix(server.URL, "http://"), "https://")
	return &Pull{Reference: host + "/app:1", Cache: filepath.Join(t.TempDir(), "layers"), Silence: 10 * time.Second, Limits: DefaultLimits}
}

func (p *Pull) run(t *testing.T) (*Result, error) {
	t.Helper()
	dir := t.TempDir()
	result, err := p.Run(context.Background(), "", Target{Rootfs: filepath.Join(dir, "out")}, silent)
	if left, _ := os.ReadDir(dir); err != nil && len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return result, err
}

func noise(t *testing.T) []byte {
	return layerOf(t, "a="+strings.Repeat("some text 0123456789\n", 20_000))
}

func TestPull(t *testing.T) {
	s, p := serve(t, imageOf(t, noise(t), layerOf(t, "b")), nil)
	first, err := p.run(t)
	if err != nil {
		t.Fatal(err)
	}
	if first.Digest != digestOf(s.manifest) || first.Files != 2 {
		t.Errorf("%+v", first)
	}
	if cached, _ := os.ReadDir(p.Cache); len(cached) != 2 {
		t.Errorf("cached: %v", cached)
	}
	if _, err := p.run(t); err != nil || s.count(s.layerPath()) != 1 {
		t.Errorf("a layer was fetched %d times, %v", s.count(s.layerPath()), err)
	}
	if again, err := p.Run(context.Background(), first.Digest, Target{Rootfs: filepath.Join(t.TempDir(), "out")}, silent); again != nil || err != nil {
		t.Errorf("not told as unchanged: %+v %v", again, err)
	}
}

func TestACachedLayerThatRottedIsFetchedAnew(t *testing.T) {
	for how, pack := range map[string]func([]byte) []byte{"gzip": zipped, "zstd": byZstd} {
		t.Run(how, func(t *testing.T) { rot(t, pack) })
	}
}

func rot(t *testing.T, pack func([]byte) []byte) {
	s, p := serve(t, packedBy(t, pack, noise(t)), nil)
	if _, err := p.run(t); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.Cache, strings.TrimPrefix(filepath.Base(s.layerPath()), "sha256:"))
	content, _ := os.ReadFile(file)
	// A byte of its content, and one by which the compressed data itself is nonsense.
	for at, bits := range map[int]byte{len(content) / 2: 1, 10: 7} {
		rotten := bytes.Clone(content)
		rotten[at] ^= bits
		os.WriteFile(file, rotten, 0o644)
		_, err := p.run(t)
		if f := AsFault(err); err == nil || f.Kind != WrongDigest || !strings.Contains(f.Message, "as it is named") || !strings.Contains(f.Fix, "run the same command again") {
			t.Errorf("byte %d: %v", at, err)
		}
		if _, err := p.run(t); err != nil {
			t.Error(err)
		}
	}
}

func TestPullResumes(t *testing.T) {
	interrupted := 0
	cut := func(s *registry, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != s.layerPath() || interrupted >= 3 {
			return false
		}
		interrupted++
		content := s.all[filepath.Base(s.layerPath())]
		from := 0
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(content[from : from+(len(content)-from)/2])
		return true
	}
	s, p := serve(t, imageOf(t, noise(t)), cut)
	if _, err := p.run(t); err != nil {
		t.Fatal(err)
	}
	if s.count("bytes=") != 3 {
		t.Errorf("%q", s.asked)
	}
}

func TestPullGoesOnWhereAKilledOneEnded(t *testing.T) {
	s, p := serve(t, imageOf(t, noise(t)), nil)
	content := s.all[filepath.Base(s.layerPath())]
	os.MkdirAll(p.Cache, 0o755)
	partial := filepath.Join(p.Cache, strings.TrimPrefix(filepath.Base(s.layerPath()), "sha256:")+".partial")
	os.WriteFile(partial, content[:1000], 0o644)
	if _, err := p.run(t); err != nil || s.count("bytes=1000-") != 1 {
		t.Errorf("%v %q", err, s.asked)
	}
	os.Remove(strings.TrimSuffix(partial, ".partial"))
	os.WriteFile(partial, make([]byte, 1000), 0o644)
	if _, err := p.run(t); err == nil || AsFault(err).Kind != WrongDigest || AsFault(err).Fix != "run the same command again" {
		t.Errorf("%v", err)
	}
	if _, err := p.run(t); err != nil {
		t.Error(err)
	}
}

func TestARegistryWithoutRangesAndABusyOne(t *testing.T) {
	busy := 0
	_, p := serve(t, imageOf(t, noise(t)), func(s *registry, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != s.layerPath() {
			return false
		}
		if busy++; busy == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		content := s.all[filepath.Base(s.layerPath())]
		if busy == 2 {
			content = content[:100]
		}
		w.Write(content)
		return true
	})
	if _, err := p.run(t); err != nil {
		t.Error(err)
	}
}

func TestWhatARegistryIsRefusedFor(t *testing.T) {
	status := func(code int, at func(*registry) string) func(*registry, http.ResponseWriter, *http.Request) bool {
		return func(s *registry, w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != at(s) {
				return false
			}
			w.WriteHeader(code)
			return true
		}
	}
	manifest := func(*registry) string { return "/v2/app/manifests/1" }
	layer := (*registry).layerPath
	config := func(s *registry) string {
		m, _ := parseManifest(s.manifest, "")
		return "/v2/app/blobs/" + m.Config.Digest
	}
	send := func(at func(*registry) string, act func(s *registry, w http.ResponseWriter)) func(*registry, http.ResponseWriter, *http.Request) bool {
		return func(s *registry, w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != at(s) {
				return false
			}
			act(s, w)
			return true
		}
	}
	for want, test := range map[string]struct {
		handle func(*registry, http.ResponseWriter, *http.Request) bool
		kind   Kind
	}{
		"to us (status 401), docker login":                {status(401, manifest), Unauthorized},
		"to us (status 403), docker login":                {status(403, layer), Unauthorized},
		"/app:1, check the name and the tag":              {status(404, manifest), NotFound},
		"has no layer sha256:":                            {status(404, layer), NotFound},
		"has had too many requests from here, docker log": {status(429, manifest), RateLimited},
		"fails (status 500), try again later":             {status(500, layer), Registry},
		"fails (status 503), try again later":             {status(503, manifest), Registry},
		"answers status 418":                              {status(418, layer), Registry},
		"as its manifest says":                            {send(config, func(_ *registry, w http.ResponseWriter) { w.Write([]byte("{}")) }), WrongDigest},
		"has no image for linux/amd64, only linux/arm64/v8": {send(manifest, func(s *registry, w http.ResponseWriter) {
			w.Write(indexOf(t, listed(s.manifest, "linux", "arm64", "v8"), listed(s.manifest, "unknown", "unknown", "")))
		}), NoPlatform},
		"as it was asked for": {func(s *registry, w http.ResponseWriter, r *http.Request) bool {
			switch r.URL.Path {
			case "/v2/app/manifests/1":
				w.Write(indexOf(t, listed(s.manifest, "linux", "amd64", "")))
			case "/v2/app/manifests/" + digestOf(s.manifest):
				w.Write([]byte("{}"))
			default:
				return false
			}
			return true
		}, WrongDigest},
		"it sends nothing any more": {send(layer, func(s *registry, w http.ResponseWriter) {
			w.Write(s.all[filepath.Base(s.layerPath())][:10])
			w.(http.Flusher).Flush()
			time.Sleep(600 * time.Millisecond)
		}), Registry},
		"timeout awaiting response headers": {send(manifest, func(*registry, http.ResponseWriter) { time.Sleep(600 * time.Millisecond) }), Registry},
		"unexpected EOF":                    {send(layer, func(s *registry, w http.ResponseWriter) { w.Write(nil) }), Registry},
		"for layer sha256:": {send(layer, func(s *registry, w http.ResponseWriter) {
			content := append([]byte{}, s.all[filepath.Base(s.layerPath())]...)
			content[4] ^= 1
			w.Write(content)
		}), WrongDigest},
		"redirects in circles": {send(layer, func(s *registry, w http.ResponseWriter) {
			w.Header().Set("Location", s.layerPath())
			w.WriteHeader(http.StatusTemporaryRedirect)
		}), Registry},
		"sends us to 169.254.169.254:443, an address of this network": {send(layer, func(s *registry, w http.ResponseWriter) {
			w.Header().Set("Location", "https://169.254.169.254/latest/meta-data")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}), Registry},
		"is no JSON": {send(manifest, func(_ *registry, w http.ResponseWriter) { w.Write([]byte("<html>")) }), BadImage},
		"is larger than 4 MiB": {send(manifest, func(_ *registry, w http.ResponseWriter) {
			w.Write(make([]byte, maxManifest+1))
		}), TooLarge},
		"has no layers": {send(manifest, func(s *registry, w http.ResponseWriter) {
			m, _ := parseManifest(s.manifest, "")
			w.Write(marshal(t, map[string]any{"schemaVersion": 2, "config": m.Config}))
		}), BadImage},
		"Docker's schema 1": {send(manifest, func(_ *registry, w http.ResponseWriter) { w.Write([]byte(`{"schemaVersion":1}`)) }), BadImage},
	} {
		_, p := serve(t, imageOf(t, noise(t)), test.handle)
		p.Silence = 300 * time.Millisecond
		_, err := p.run(t)
		if f := AsFault(err); err == nil || !strings.Contains(f.Message+", "+f.Fix, want) || f.Kind != test.kind {
			t.Errorf("%s: %v", want, f)
		}
		if cached, _ := filepath.Glob(p.Cache + "/*[0-9a-f]"); len(cached) != 0 {
			t.Errorf("%s: left under its final name: %v", want, cached)
		}
	}
}

func TestMirrorsComeFirstAndNeedNotHaveIt(t *testing.T) {
	origin, p := serve(t, imageOf(t, layerOf(t, "a")), nil)
	mirror, at := serve(t, imageOf(t, layerOf(t, "a")), nil)
	empty, none := serve(t, &blobs{manifest: nil, all: map[string][]byte{}}, func(_ *registry, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		http.NotFound(w, r)
		return true
	})
	host := func(p *Pull) string { h, _, _ := strings.Cut(p.Reference, "/"); return h }
	p.Mirrors = map[string][]string{host(p): {host(none), host(at)}}
	if _, err := p.run(t); err != nil || origin.count("") != 0 || mirror.count("blobs") != 2 || empty.count("") == 0 {
		t.Errorf("%v: origin %q, mirror %q", err, origin.asked, mirror.asked)
	}
}

func TestHTTPOnlyWhenAsked(t *testing.T) {
	guard := &plainGuard{inner: http.DefaultTransport}
	request, _ := http.NewRequest(http.MethodGet, "http://registry.example/v2/", nil)
	_, err := guard.RoundTrip(request)
	if f := (*Fault)(nil); !errors.As(err, &f) || !strings.Contains(f.Fix, "--insecure") {
		t.Error(err)
	}
	from, _ := http.NewRequest(http.MethodGet, "https://registry.example/v2/", nil)
	if err := checkRedirect(request, []*http.Request{from}); err == nil || err.Error() != "registry.example redirects from HTTPS to http://registry.example" {
		t.Error(err)
	}
}

func TestAReferenceThatIsNone(t *testing.T) {
	p := &Pull{Reference: "UPPER CASE", Limits: DefaultLimits}
	if _, err := p.run(t); err == nil || AsFault(err).Kind != BadReference {
		t.Error(err)
	}
}
