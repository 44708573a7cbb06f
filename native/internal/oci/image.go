package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"path"
	"regexp"
	"strings"
)

// Media types of indexes and manifests: OCI's, and Docker's before them.
const (
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

const (
	// maxManifest is what registries themselves allow.
	maxManifest = 4 << 20
	maxConfig   = 8 << 20
)

// image is one image, wherever it lies.
type image struct {
	// digest of its manifest; of its config where it has no manifest.
	digest string
	config *Config
	layers []*layer
}

// layer is an archive of files that goes over those before it.
type layer struct {
	digest string
	size   int64
	// diffID is the digest of the unpacked archive; empty where nobody says it.
	diffID string
	// plain has no whiteouts: the archive of a file system.
	plain bool
	open  func(context.Context) (io.ReadCloser, error)
}

// Config is what an image says of how to run it: an offer, nothing of which is run on the host.
type Config struct {
	Env        []string `json:"env"`
	Entrypoint []string `json:"entrypoint"`
	Cmd        []string `json:"cmd"`
	Workdir    string   `json:"workdir"`
	User       string   `json:"user"`
}

type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
	Platform  *struct {
		Architecture string `json:"architecture"`
		OS           string `json:"os"`
		Variant      string `json:"variant"`
	} `json:"platform"`
	Annotations map[string]string `json:"annotations"`
}

// manifest is an index or the manifest of one image: which of the two its fields say, too.
type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []descriptor `json:"manifests"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func checkDigest(digest string) error {
	if !digestForm.MatchString(digest) {
		return fault(BadImage, "%.100q is no sha256 digest, the only kind that is supported", digest)
	}
	return nil
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func parseManifest(content []byte, what string) (*manifest, error) {
	m := &manifest{}
	if err := json.Unmarshal(content, m); err != nil {
		return nil, fault(BadImage, "the manifest of %s is no JSON: %v", what, err)
	}
	if m.SchemaVersion == 1 {
		return nil, fault(BadImage, "%s has a manifest of Docker's schema 1, which was given up in 2017", what).
			mend("docker pull it with a Docker before 28 and docker push it again, or ask whoever keeps it for a newer tag")
	}
	return m, nil
}

// configFile is the part of an image's configuration that is read.
type configFile struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant"`
	Config       struct {
		Env        []string
		Entrypoint []string
		Cmd        []string
		WorkingDir string
		User       string
	} `json:"config"`
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

func parseConfig(content []byte, what string, layers int) (*Config, []string, error) {
	file := &configFile{}
	if err := json.NewDecoder(bytes.NewReader(content)).Decode(file); err != nil {
		return nil, nil, fault(BadImage, "the configuration of %s is no JSON: %v", what, err)
	}
	if p := platformOf(file.OS, file.Architecture, file.Variant); !p.runs() {
		return nil, nil, fault(NoPlatform, "%s is for %s, not %s", what, p, wanted(p.String())).
			mend("banger runs x86-64 guests: ask for an image that is built for it")
	}
	if len(file.RootFS.DiffIDs) != layers {
		return nil, nil, fault(BadImage, "%s has %d layers, its configuration names %d", what, layers, len(file.RootFS.DiffIDs))
	}
	for _, id := range file.RootFS.DiffIDs {
		if err := checkDigest(id); err != nil {
			return nil, nil, err
		}
	}
	c := &Config{Entrypoint: texts(file.Config.Entrypoint), Cmd: texts(file.Config.Cmd), User: text(file.Config.User), Env: []string{}}
	for _, variable := range texts(file.Config.Env) {
		// What has no name is no variable.
		if name, _, ok := strings.Cut(variable, "="); ok && name != "" {
			c.Env = append(c.Env, variable)
		}
	}
	if dir := text(file.Config.WorkingDir); dir != "" {
		c.Workdir = path.Clean("/" + dir)
	}
	return c, file.RootFS.DiffIDs, nil
}

const (
	// Longer texts than an exec could take are left out, and more of them than anybody needs.
	maxText  = 128 << 10
	maxTexts = 1000
)

// text drops what no process could get: a zero byte, or more than the kernel takes of one.
func text(s string) string {
	if strings.ContainsRune(s, 0) || len(s) > maxText {
		return ""
	}
	return s
}

func texts(all []string) []string {
	kept := []string{}
	for _, s := range all[:min(len(all), maxTexts)] {
		if text(s) == s {
			kept = append(kept, s)
		}
	}
	return kept
}

// assemble reads a manifest's image: its configuration, and how to get at its layers.
func assemble(m *manifest, digest, what string, config []byte, limits Limits, open func(descriptor) func(context.Context) (io.ReadCloser, error)) (*image, error) {
	if len(m.Layers) == 0 {
		return nil, fault(BadImage, "%s has no layers", what)
	}
	if len(m.Layers) > limits.Layers {
		return nil, fault(TooLarge, "%s has %d layers; %d are possible", what, len(m.Layers), limits.Layers)
	}
	if got := digestOf(config); got != m.Config.Digest {
		return nil, fault(WrongDigest, "the configuration of %s is %s, not %s as its manifest says", what, got, m.Config.Digest)
	}
	parsed, diffIDs, err := parseConfig(config, what, len(m.Layers))
	if err != nil {
		return nil, err
	}
	img := &image{digest: digest, config: parsed}
	for at, d := range m.Layers {
		if err := checkDigest(d.Digest); err != nil {
			return nil, err
		}
		if strings.Contains(d.MediaType, "encrypted") {
			return nil, fault(BadImage, "layer %d of %s is encrypted", at+1, what)
		}
		img.layers = append(img.layers, &layer{digest: d.Digest, size: d.Size, diffID: diffIDs[at], open: open(d)})
	}
	return img, nil
}

// verified checks what is read against a digest, at its end.
type verified struct {
	io.Closer
	r      io.Reader
	sum    hash.Hash
	digest string
	// wrong gives what is to be done about it, and is asked once.
	wrong func() string
}

func verify(r io.ReadCloser, digest string) *verified {
	sum := sha256.New()
	return &verified{Closer: r, r: io.TeeReader(r, sum), sum: sum, digest: digest, wrong: func() string { return "" }}
}

func (v *verified) Read(b []byte) (int, error) {
	n, err := v.r.Read(b)
	if err == io.EOF {
		if got := fmt.Sprintf("sha256:%x", v.sum.Sum(nil)); got != v.digest {
			fix := v.wrong()
			v.wrong = func() string { return fix }
			return n, fault(WrongDigest, "it is %s, not %s as it is named", got, v.digest).mend(fix)
		}
	}
	return n, err
}
