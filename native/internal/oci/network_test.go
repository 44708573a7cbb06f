package oci

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
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
	p.Silence = time.Second
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
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := p.Run(ctx, "", filepath.Join(t.TempDir(), "out"), 0, silent); err == nil || AsFault(err).Kind != Registry || !strings.Contains(err.Error(), "it sends nothing any more") {
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
		w.Write(indexOf(t, platform([]byte("other"), "linux", "arm64", "v8"), platform([]byte("attestation"), "unknown", "unknown", ""), platform(s.manifest, "linux", "amd64", "")))
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
	dir := t.TempDir()
	host, _, _ := strings.Cut(p.Reference, "/")
	put(t, dir, "config.json", marshal(t, map[string]any{"auths": map[string]any{host: map[string]any{"auth": strings.TrimPrefix(secret, "Basic ")}}}))
	t.Setenv("DOCKER_CONFIG", dir)
	p.Keychain = authn.DefaultKeychain
	if _, err := p.run(t); err != nil || told != "" {
		t.Errorf("%v, the storage was told %q", err, told)
	}
}

func TestRedirectsFurtherIntoThisNetworkAreRefused(t *testing.T) {
	request := func(host string) *http.Request {
		return (&http.Request{URL: &url.URL{Scheme: "https", Host: host}}).WithContext(context.Background())
	}
	for _, test := range []struct {
		from, to string
		allowed  bool
	}{
		{"198.51.100.7", "203.0.113.9", true},
		{"198.51.100.7", "10.0.0.1", false},
		{"198.51.100.7", "127.0.0.1", false},
		{"198.51.100.7", "[::1]", false},
		{"198.51.100.7", "[::ffff:169.254.169.254]", false},
		{"198.51.100.7", "0.0.0.0", false},
		{"198.51.100.7", "localhost", false},
		{"10.0.0.5", "10.0.0.6", true},
		{"10.0.0.5", "localhost", false},
		{"127.0.0.1", "169.254.169.254", false},
	} {
		err := checkRedirect(request(test.to), []*http.Request{request(test.from)})
		if (err == nil) != test.allowed || err != nil && !strings.Contains(err.Error(), "an address of this network") {
			t.Errorf("%s to %s: %v", test.from, test.to, err)
		}
	}
}
