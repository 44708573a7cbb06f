package oci

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// private is a registry that wants this user.
func private(t *testing.T) *Pull {
	t.Helper()
	wants := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:secret"))
	_, p := serve(t, imageOf(t, layerOf(t, "a")), func(_ *registry, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == wants {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	return p
}

func hostOf(p *Pull) string {
	host, _, _ := strings.Cut(p.Reference, "/")
	return host
}

// user has a home with nothing in it, and PATH alone of his own.
func user(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for _, variable := range []string{"REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"} {
		t.Setenv(variable, "")
	}
	t.Setenv("HOME", home)
	return home
}

func entry64(user, password string) map[string]string {
	return map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(user + ":" + password))}
}

func auths(t *testing.T, key, user string) []byte {
	return marshal(t, map[string]any{"auths": map[string]any{key: entry64(user, "secret")}})
}

func helper(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-"+name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestAPrivateImageNeedsALogin(t *testing.T) {
	p := private(t)
	if _, err := p.run(t); AsFault(err).Kind != Unauthorized || !strings.Contains(AsFault(err).Fix, "docker login") {
		t.Error(err)
	}
	p.Logins = map[string]Login{hostOf(p): {Username: "me", Password: "secret"}}
	if _, err := p.run(t); err != nil {
		t.Error(err)
	}
}

func TestAHelperThatFailsMattersWhenTheRegistryAsks(t *testing.T) {
	_, open := serve(t, imageOf(t, layerOf(t, "a")), nil)
	open.Logins = map[string]Login{hostOf(open): {Failed: "docker-credential-desktop is not here"}}
	if _, err := open.run(t); err != nil {
		t.Errorf("an image that everybody gets: %v", err)
	}
	p := private(t)
	p.Logins = map[string]Login{hostOf(p): {Failed: "docker-credential-desktop is not here"}}
	_, err := p.run(t)
	if AsFault(err).Kind != Unauthorized || !strings.Contains(err.Error(), "there are no credentials: docker-credential-desktop is not here") || !strings.Contains(AsFault(err).Fix, "helper") {
		t.Errorf("%v, %s", err, AsFault(err).Fix)
	}
}

func TestLoginsAreWhereToolsKeepThem(t *testing.T) {
	const reference = "registry.example:5000/org/app:1"
	for what, test := range map[string]struct {
		prepare func(t *testing.T, home string)
		want    Login
	}{
		"nothing": {func(*testing.T, string) {}, Login{}},
		"docker's": {func(t *testing.T, home string) {
			put(t, home, ".docker/config.json", auths(t, "registry.example:5000", "docker"))
		}, Login{Username: "docker", Password: "secret"}},
		"$DOCKER_CONFIG": {func(t *testing.T, home string) {
			put(t, home, "elsewhere/config.json", auths(t, "registry.example:5000", "moved"))
			t.Setenv("DOCKER_CONFIG", home+"/elsewhere")
		}, Login{Username: "moved", Password: "secret"}},
		"podman's": {func(t *testing.T, home string) {
			put(t, home, "run/containers/auth.json", auths(t, "registry.example:5000", "podman"))
			t.Setenv("XDG_RUNTIME_DIR", home+"/run")
		}, Login{Username: "podman", Password: "secret"}},
		"podman's beside docker's of another registry": {func(t *testing.T, home string) {
			put(t, home, ".docker/config.json", auths(t, "other.example", "docker"))
			put(t, home, "run/containers/auth.json", auths(t, "registry.example:5000", "podman"))
			t.Setenv("XDG_RUNTIME_DIR", home+"/run")
		}, Login{Username: "podman", Password: "secret"}},
		"podman's for one repository": {func(t *testing.T, home string) {
			put(t, home, ".config/containers/auth.json", auths(t, "registry.example:5000/org", "org"))
		}, Login{Username: "org", Password: "secret"}},
		"for another repository": {func(t *testing.T, home string) {
			put(t, home, ".config/containers/auth.json", auths(t, "registry.example:5000/other", "org"))
		}, Login{}},
		"$REGISTRY_AUTH_FILE": {func(t *testing.T, home string) {
			put(t, home, ".docker/config.json", auths(t, "registry.example:5000", "docker"))
			put(t, home, "auth.json", auths(t, "registry.example:5000", "explicit"))
			t.Setenv("REGISTRY_AUTH_FILE", home+"/auth.json")
		}, Login{Username: "explicit", Password: "secret"}},
		"a helper of the user's PATH": {func(t *testing.T, home string) {
			helper(t, "mine", `cat >/dev/null; echo '{"ServerURL":"x","Username":"u","Secret":"p"}'`)
			put(t, home, ".docker/config.json", []byte(`{"credHelpers":{"registry.example:5000":"mine"}}`))
		}, Login{Username: "u", Password: "p"}},
		"a helper's token": {func(t *testing.T, home string) {
			helper(t, "mine", `cat >/dev/null; echo '{"ServerURL":"x","Username":"<token>","Secret":"t"}'`)
			put(t, home, ".docker/config.json", []byte(`{"credsStore":"mine"}`))
		}, Login{IdentityToken: "t"}},
		"a helper that knows nothing": {func(t *testing.T, home string) {
			helper(t, "mine", `cat >/dev/null; echo "credentials not found in native keychain"; exit 1`)
			put(t, home, ".docker/config.json", []byte(`{"credsStore":"mine"}`))
		}, Login{}},
		"a helper that fails, and another file": {func(t *testing.T, home string) {
			put(t, home, ".docker/config.json", []byte(`{"credsStore":"gone"}`))
			put(t, home, ".config/containers/auth.json", auths(t, "registry.example:5000", "podman"))
		}, Login{Username: "podman", Password: "secret"}},
	} {
		t.Run(what, func(t *testing.T) {
			test.prepare(t, user(t))
			known, err := LookUp(t.Context(), reference, nil)
			if err != nil || known["registry.example:5000"] != test.want {
				t.Errorf("%+v, not %+v, %v", known, test.want, err)
			}
		})
	}
}

func TestAHelperThatFailsIsNamed(t *testing.T) {
	home := user(t)
	put(t, home, ".docker/config.json", []byte(`{"auths":{},"credsStore":"desktop"}`))
	known, err := LookUp(t.Context(), "debian:12", nil)
	if failed := known["index.docker.io"].Failed; err != nil || !strings.Contains(failed, "docker-credential-desktop") || !strings.Contains(failed, ".docker/config.json") {
		t.Errorf("%+v, %v", known, err)
	}
	put(t, home, ".docker/config.json", []byte(`{`))
	if known, _ := LookUp(t.Context(), "debian:12", nil); known["index.docker.io"].Failed == "" {
		t.Errorf("a damaged file: %+v", known)
	}
}

func TestEveryRegistryThatIsAskedIsLookedUp(t *testing.T) {
	home := user(t)
	put(t, home, ".docker/config.json", marshal(t, map[string]any{"auths": map[string]any{
		"https://index.docker.io/v1/": entry64("hub", "a"), "mirror.example:5000": entry64("mirror", "b"), "other.example": entry64("other", "c"),
	}}))
	known, err := LookUp(t.Context(), "debian:12", map[string][]string{"index.docker.io": {"mirror.example:5000"}})
	want := map[string]Login{"index.docker.io": {Username: "hub", Password: "a"}, "mirror.example:5000": {Username: "mirror", Password: "b"}}
	if err != nil || len(known) != 2 || known["index.docker.io"] != want["index.docker.io"] || known["mirror.example:5000"] != want["mirror.example:5000"] {
		t.Errorf("%+v, %v", known, err)
	}
}
