package oci

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Pull says which image, and what the way to it may be.
type Pull struct {
	// Reference of the image; empty where a file is fetched.
	Reference string
	// Mirrors by registry: asked first, in their order.
	Mirrors map[string][]string
	// Insecure allows HTTP, and certificates that nobody vouches for. This machine's own registry may always use HTTP.
	Insecure bool
	// Cache is a directory where layers are kept, by digest.
	Cache string
	// Silence is how long a registry may send nothing.
	Silence time.Duration
	// Logins has what is known of registries, by their names; of others nothing is.
	Logins map[string]Login
	Limits Limits
}

// Resolve finds an image in its registry, or a mirror of it; no layer is fetched yet.
func (p *Pull) Resolve(ctx context.Context) (*image, error) {
	ref, err := name.ParseReference(p.Reference)
	if err != nil {
		return nil, badReference(p.Reference, err)
	}
	var failed error
	for _, host := range hosts(ref, p.Mirrors) {
		img, err := p.resolveAt(ctx, host, ref)
		if err == nil {
			return img, nil
		}
		failed = err
	}
	return nil, failed
}

func badReference(reference string, err error) error {
	return fault(BadReference, "%q names no image: %v", reference, err).mend("give it as docker pull takes it: debian:12, ghcr.io/owner/name@sha256:...")
}

func (p *Pull) resolveAt(ctx context.Context, host string, ref name.Reference) (*image, error) {
	options := []name.Option{}
	if p.Insecure {
		options = append(options, name.Insecure)
	}
	registry, err := name.NewRegistry(host, options...)
	if err != nil {
		return nil, fault(BadReference, "%q names no registry: %v", host, err)
	}
	repository := registry.Repo(ref.Context().RepositoryStr())
	base := p.transport(ctx, &url.URL{Scheme: registry.Scheme(), Host: registry.RegistryStr()})
	tr, err := transport.NewWithContext(ctx, registry, p.Logins[host].authenticator(), base, []string{repository.Scope(transport.PullScope)})
	if err != nil {
		return nil, p.explain(err, host, ref.String())
	}
	c := &client{
		Pull: p, host: host, repository: repository,
		http: &http.Client{Transport: tr, CheckRedirect: checkRedirect},
	}
	return c.image(ctx, ref)
}

// transport is TLS as usual, or what --insecure allows.
func (p *Pull) transport(ctx context.Context, origin *url.URL) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = p.dialer(ctx, origin)
	t.MaxIdleConnsPerHost = parallel
	if p.Insecure {
		t.TLSClientConfig = insecureTLS()
	}
	return &plainGuard{inner: p.patient(t), allowed: p.Insecure}
}

// plainGuard refuses HTTP to anything but this machine.
type plainGuard struct {
	inner   http.RoundTripper
	allowed bool
}

func (g *plainGuard) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme == "http" && !g.allowed && !isLoopback(request.URL.Hostname()) {
		return nil, fault(Registry, "%s speaks no HTTPS", request.URL.Host).mend("--insecure allows HTTP for this pull")
	}
	return g.inner.RoundTrip(request)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// checkRedirect lets a registry send us to its storage, but not from HTTPS to HTTP.
func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return fault(Registry, "%s redirects in circles", via[0].URL.Host)
	}
	from, to := via[0].URL, request.URL
	if from.Scheme == "https" && to.Scheme != "https" {
		return fault(Registry, "%s redirects from HTTPS to %s://%s", from.Host, to.Scheme, to.Host)
	}
	return nil
}

// client asks one registry about one repository.
type client struct {
	*Pull
	host       string
	repository name.Repository
	http       *http.Client
}

func (c *client) url(kind, identifier string) string {
	return (&url.URL{Scheme: c.repository.Scheme(), Host: c.repository.RegistryStr(), Path: fmt.Sprintf("/v2/%s/%s/%s", c.repository.RepositoryStr(), kind, identifier)}).String()
}

func (c *client) image(ctx context.Context, ref name.Reference) (*image, error) {
	what := ref.String()
	content, err := c.manifest(ctx, ref.Identifier(), what)
	if err != nil {
		return nil, err
	}
	m, digest, err := follow(content, what, func(digest string) ([]byte, error) { return c.manifest(ctx, digest, what) })
	if err != nil {
		return nil, err
	}
	if err := checkDigest(m.Config.Digest); err != nil {
		return nil, err
	}
	config, err := c.get(ctx, "blobs", m.Config.Digest, what, maxConfig)
	if err != nil {
		return nil, err
	}
	return assemble(m, digest, what, config, c.Limits, func(d descriptor) func(context.Context) (io.ReadCloser, error) {
		return func(ctx context.Context) (io.ReadCloser, error) {
			return c.blob(ctx, c.url("blobs", d.Digest), d, fmt.Sprintf("layer %s of %s", d.Digest, what))
		}
	})
}

// manifest fetches a manifest by tag or digest; by digest it must be that one.
func (c *client) manifest(ctx context.Context, identifier, what string) ([]byte, error) {
	content, err := c.get(ctx, "manifests", identifier, what, maxManifest)
	if err == nil && strings.HasPrefix(identifier, "sha256:") {
		if got := digestOf(content); got != identifier {
			return nil, fault(WrongDigest, "the manifest of %s is %s, not %s as it was asked for", what, got, identifier)
		}
	}
	return content, err
}

// get reads something small, again when the registry is only busy.
func (c *client) get(ctx context.Context, kind, identifier, what string, limit int64) ([]byte, error) {
	var content []byte
	err := c.retried(ctx, what, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(kind, identifier), nil)
		if err != nil {
			return false, err
		}
		request.Header.Set("Accept", strings.Join([]string{ociIndex, ociManifest, dockerList, dockerManifest, "*/*"}, ", "))
		response, err := c.http.Do(request)
		if err != nil {
			return false, err
		}
		defer response.Body.Close()
		if err := transport.CheckError(response, http.StatusOK); err != nil {
			return false, err
		}
		content, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
		if err == nil && int64(len(content)) > limit {
			err = fault(TooLarge, "%s of %s is larger than %d MiB", strings.TrimSuffix(kind, "s"), what, limit>>20)
		}
		return false, err
	})
	return content, err
}
