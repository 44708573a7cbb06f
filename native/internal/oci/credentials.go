package oci

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	docker "github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"banger.dev/native/internal/regular"
)

// Login is what somebody knows of a registry: credentials, or why there are none.
type Login struct {
	Username      string `json:"username,omitempty"`
	Password      string `json:"password,omitempty"`
	IdentityToken string `json:"identityToken,omitempty"`
	RegistryToken string `json:"registryToken,omitempty"`
	// Failed says why a credential helper gave none.
	Failed string `json:"failed,omitempty"`
}

func (l Login) authenticator() authn.Authenticator {
	if l == (Login{Failed: l.Failed}) {
		return authn.Anonymous
	}
	return authn.FromConfig(authn.AuthConfig{Username: l.Username, Password: l.Password, IdentityToken: l.IdentityToken, RegistryToken: l.RegistryToken})
}

const (
	// maxConfigured bounds a file of credentials, in bytes.
	maxConfigured = 4 << 20
	// helperTime is how long a credential helper may take, which may ask its user something.
	helperTime = 60 * time.Second
)

// LookUp gives what this process's user knows of the registries that an image would be asked of, by their names. Those that nothing is
// known of are not in it.
func LookUp(ctx context.Context, reference string, mirrors map[string][]string) (map[string]Login, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, badReference(reference, err)
	}
	known := map[string]Login{}
	for _, host := range hosts(ref, mirrors) {
		if login := lookUp(ctx, host, ref.Context().RepositoryStr()); login != (Login{}) {
			known[host] = login
		}
	}
	return known, nil
}

// hosts are asked in this order.
func hosts(ref name.Reference, mirrors map[string][]string) []string {
	registry := ref.Context().RegistryStr()
	return append(append([]string{}, mirrors[registry]...), registry)
}

// configured are the files of podman and docker login, the first of which decides.
func configured() []string {
	home, _ := os.UserHomeDir()
	under := func(variable, otherwise, file string) string {
		if dir := os.Getenv(variable); dir != "" {
			return filepath.Join(dir, file)
		}
		if otherwise == "" || home == "" {
			return ""
		}
		return filepath.Join(home, otherwise, file)
	}
	return []string{
		os.Getenv("REGISTRY_AUTH_FILE"),
		under("DOCKER_CONFIG", ".docker", "config.json"),
		under("XDG_RUNTIME_DIR", "", "containers/auth.json"),
		under("XDG_CONFIG_HOME", ".config", "containers/auth.json"),
	}
}

// lookUp asks one file after the other. What fails in one matters only when no other has anything.
func lookUp(ctx context.Context, host, repository string) Login {
	failed := ""
	for _, file := range configured() {
		if file == "" {
			continue
		}
		content, err := regular.Read(file, maxConfigured)
		if os.IsNotExist(err) {
			continue
		}
		var login Login
		if err == nil {
			login, err = fromConfig(ctx, content, host, repository)
		}
		switch {
		case err != nil && failed == "":
			failed = fmt.Sprintf("%s: %v", file, err)
		case err == nil && login != (Login{}):
			return login
		}
	}
	return Login{Failed: failed}
}

// fromConfig looks a registry up in a file of credentials: by repository, as podman keeps them, and as a whole.
func fromConfig(ctx context.Context, content []byte, host, repository string) (Login, error) {
	file, err := config.LoadFromReader(bytes.NewReader(content))
	if err != nil {
		return Login{}, err
	}
	for key := path.Join(host, repository); key != host && key != "."; key = path.Dir(key) {
		if login := loginOf(file.AuthConfigs[key]); login != (Login{}) {
			return login, nil
		}
	}
	// What is left of other repositories would pass for the registry's.
	maps.DeleteFunc(file.AuthConfigs, func(key string, _ docker.AuthConfig) bool {
		return strings.Contains(key, "/") && !strings.Contains(key, "://")
	})
	keys := []string{host}
	if host == name.DefaultRegistry {
		keys = []string{authn.DefaultAuthKey, "docker.io"}
	}
	for _, key := range keys {
		login, err := ask(ctx, file, key)
		if err != nil || login != (Login{}) {
			return login, err
		}
	}
	return Login{}, nil
}

// ask lets a helper answer, if the file names one, for a while.
func ask(ctx context.Context, file *configfile.ConfigFile, key string) (Login, error) {
	type answer struct {
		login Login
		err   error
	}
	said := make(chan answer, 1)
	go func() {
		found, err := file.GetAuthConfig(key)
		said <- answer{loginOf(found), err}
	}()
	select {
	case a := <-said:
		if a.err != nil {
			return Login{}, fmt.Errorf("%s", strings.TrimSpace(strings.TrimPrefix(a.err.Error(), "error getting credentials - err: ")))
		}
		return a.login, nil
	case <-time.After(helperTime):
		return Login{}, fmt.Errorf("the credential helper for %s gives no answer within %v", key, helperTime)
	case <-ctx.Done():
		return Login{}, ctx.Err()
	}
}

func loginOf(found docker.AuthConfig) Login {
	// A helper gives a token under a user's name that is none.
	if found.Username == "<token>" && found.IdentityToken == "" {
		return Login{IdentityToken: found.Password}
	}
	return Login{Username: found.Username, Password: found.Password, IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken}
}
