package oci

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inPieces sends pieces, each well within the patience, that together are not.
func inPieces(w http.ResponseWriter, content []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	for at := range 12 {
		w.Write(content[len(content)*at/12 : len(content)*(at+1)/12])
		w.(http.Flusher).Flush()
		time.Sleep(150 * time.Millisecond)
	}
}

func TestASlowRegistryIsWaitedFor(t *testing.T) {
	s, p := serve(t, imageOf(t, noise(t)), func(s *registry, w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case s.layerPath():
			inPieces(w, s.all[filepath.Base(s.layerPath())])
		case "/v2/app/manifests/1":
			inPieces(w, s.manifest)
		default:
			return false
		}
		return true
	})
	p.Silence = 1500 * time.Millisecond
	if _, err := p.run(t); err != nil || s.count(s.layerPath()) != 1 || s.count("/manifests/") != 1 {
		t.Errorf("%v %q", err, s.asked)
	}
}

func TestARegistryThatFallsSilentInAManifest(t *testing.T) {
	_, p := serve(t, imageOf(t, noise(t)), func(s *registry, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v2/app/manifests/1" {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(s.manifest)))
		w.Write(s.manifest[:10])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	p.Silence = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := p.Run(ctx, "", Target{Rootfs: filepath.Join(t.TempDir(), "out")}, silent); err == nil || AsFault(err).Kind != Registry || !strings.Contains(err.Error(), "it sends nothing any more") {
		t.Error(err)
	}
}

func TestPullOfAnIndex(t *testing.T) {
	b := imageOf(t, noise(t))
	b.add(b.manifest)
	_, p := serve(t, b, func(s *registry, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v2/app/manifests/1" {
			return false
		}
		w.Write(indexOf(t, listed([]byte("other"), "linux", "arm64", "v8"), listed([]byte("attestation"), "unknown", "unknown", ""), listed(s.manifest, "linux", "amd64", "")))
		return true
	})
	if result, err := p.run(t); err != nil || result.Digest != digestOf(b.manifest) {
		t.Errorf("%+v %v", result, err)
	}
}

func TestALayerMayLieElsewhere(t *testing.T) {
	secret := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:secret"))
	told := ""
	image := imageOf(t, noise(t))
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told += r.Header.Get("Authorization")
		w.Write(image.all[filepath.Base(r.URL.Path)])
	}))
	t.Cleanup(storage.Close)
	_, p := serve(t, image, func(s *registry, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != secret {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if r.URL.Path != s.layerPath() {
			return false
		}
		w.Header().Set("Location", strings.Replace(storage.URL, "127.0.0.1", "localhost", 1)+"/"+filepath.Base(r.URL.Path))
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	})
	host, _, _ := strings.Cut(p.Reference, "/")
	p.Logins = map[string]Login{host: {Username: "me", Password: "secret"}}
	if _, err := p.run(t); err != nil || told != "" {
		t.Errorf("%v, the storage was told %q", err, told)
	}
}

func TestTheWayFurtherIntoThisNetworkIsRefused(t *testing.T) {
	for _, test := range []struct {
		from, to string
		allowed  bool
	}{
		{"198.51.100.7", "203.0.113.9:443", true},
		{"198.51.100.7", "10.0.0.1:443", false},
		{"198.51.100.7", "100.64.0.1:443", false},
		{"198.51.100.7", "[::ffff:169.254.169.254]:80", false},
		{"198.51.100.7", "127.0.0.1:80", false},
		{"198.51.100.7", "[::1]:80", false},
		{"198.51.100.7", "0.0.0.0:80", false},
		{"198.51.100.7", "localhost:80", false},
		{"10.0.0.5", "10.0.0.6:443", true},
		{"10.0.0.5", "localhost:80", false},
		{"localhost", "169.254.169.254:80", false},
	} {
		// Over before it begins: only what is refused comes to its reason.
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, err := (&Pull{}).dialer(ctx, &url.URL{Scheme: "https", Host: test.from})(ctx, "tcp", test.to)
		cancel()
		refused := err != nil && AsFault(err).Kind == Registry && strings.Contains(err.Error(), "an address of this network")
		if refused == test.allowed {
			t.Errorf("%s to %s: %v", test.from, test.to, err)
		}
	}
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	if _, err := (&Pull{Insecure: true}).dialer(context.Background(), &url.URL{Scheme: "https", Host: "198.51.100.7"})(context.Background(), "tcp", "127.0.0.1:1"); err == nil || strings.Contains(err.Error(), "this network") {
		t.Error(err)
	}
}

func TestAFileThatIsNotThereIsTheCatalogsFault(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	p := pullFrom(t, server)
	p.Reference = ""
	address := server.URL + "/pool/linux.deb"
	in, err := p.Fetch(context.Background(), address, digestOf(nil), 10)
	if err == nil {
		_, err = io.ReadAll(in)
	}
	if f := AsFault(err); f.Kind != NotFound || !strings.Contains(f.Message, address+" (status 404)") || !strings.Contains(f.Fix, "catalog") {
		t.Errorf("%+v", f)
	}
}
