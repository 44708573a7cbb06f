package oci

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"
)

const (
	// maxNested is how many indexes may lead to one another, and maxListed how many images one may list.
	maxNested = 8
	maxListed = 1000
)

// Names that say what an image of several in a layout is.
var nameAnnotations = []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"}

// follow goes through indexes to the manifest of one image, and gives its digest.
func follow(content []byte, what string, fetch func(digest string) ([]byte, error)) (*manifest, string, error) {
	for range maxNested {
		m, err := parseManifest(content, what)
		if err != nil || len(m.Manifests) == 0 {
			return m, digestOf(content), err
		}
		d, err := m.choose(what)
		if err != nil {
			return nil, "", err
		}
		if err := checkDigest(d.Digest); err != nil {
			return nil, "", err
		}
		if content, err = fetch(d.Digest); err != nil {
			return nil, "", err
		}
	}
	return nil, "", fault(BadImage, "%s has more than %d indexes that lead to one another", what, maxNested)
}

// choose picks the image for this kind of machine from an index, the best for its CPU. What says no platform has always been for
// Linux on x86-64.
func (m *manifest) choose(what string) (descriptor, error) {
	if len(m.Manifests) > maxListed {
		return descriptor{}, fault(TooLarge, "the index of %s lists %d images; %d are possible", what, len(m.Manifests), maxListed)
	}
	var best []descriptor
	var has []string
	rank := -1
	for _, d := range m.Manifests {
		p := d.platform()
		if p.attests() || d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" {
			continue
		}
		if !p.runs() {
			has = append(has, p.String())
			continue
		}
		// One that says its platform is preferred to one that could be anything.
		this := 2 * p.level()
		if p.said {
			this++
		}
		if this > rank {
			best, rank = nil, this
		}
		if this == rank {
			best = append(best, d)
		}
	}
	if len(best) == 0 {
		if len(has) == 0 {
			has = []string{"attestations"}
		}
		return descriptor{}, fault(NoPlatform, "%s has no image for %s, only %s", what, wanted(has...), strings.Join(has, ", ")).
			mend("banger runs x86-64 guests: ask for an image that is built for it")
	}
	if names := namesOf(best); len(names) > 1 {
		return descriptor{}, fault(BadSource, "%s holds %d images: %s", what, len(names), strings.Join(names, ", ")).mend("save one image: docker save NAME -o FILE")
	}
	return best[0], nil
}

// namesOf are the names under which a layout keeps images, each once.
func namesOf(all []descriptor) []string {
	var names []string
	seen := map[string]bool{}
	for _, d := range all {
		for _, key := range nameAnnotations {
			if name := d.Annotations[key]; name != "" {
				if !seen[name] {
					names = append(names, name)
				}
				seen[name] = true
				break
			}
		}
	}
	return names
}

// platform is what an image is made for.
type platform struct {
	os, architecture, variant string
	// said is false where nobody says it.
	said bool
}

func (d descriptor) platform() platform {
	if d.Platform == nil {
		return platformOf("", "", "")
	}
	return platformOf(d.Platform.OS, d.Platform.Architecture, d.Platform.Variant)
}

// platformOf fills in what is not said, and knows other names of the same.
func platformOf(os, architecture, variant string) platform {
	p := platform{strings.ToLower(os), strings.ToLower(architecture), strings.ToLower(variant), os != "" || architecture != ""}
	if p.os == "" {
		p.os = "linux"
	}
	switch p.architecture {
	case "", "x86_64", "x86-64":
		p.architecture = "amd64"
	}
	return p
}

func (p platform) String() string { return path.Join(p.os, p.architecture, p.variant) }

// attests tells of what stands in an index as an image of an unknown platform.
func (p platform) attests() bool { return p.os == "unknown" }

// runs tells whether this host's CPU runs it.
func (p platform) runs() bool {
	return p.os == "linux" && p.architecture == "amd64" && p.level() > 0 && p.level() <= level
}

// level is the x86-64 level that the image is built for; 0 is none that there is.
func (p platform) level() int {
	if p.variant == "" {
		return 1
	}
	n, err := strconv.Atoi(strings.TrimPrefix(p.variant, "v"))
	if err != nil || n < 1 || n > 4 {
		return 0
	}
	return n
}

// wanted names what this host runs, exactly where that is what an image fails for.
func wanted(has ...string) string {
	for _, other := range has {
		if strings.HasPrefix(other, "linux/amd64/") {
			return "linux/amd64 up to v" + strconv.Itoa(level)
		}
	}
	return "linux/amd64"
}

// level of this host's CPU: x86-64-v1 to v4, of what the kernel lets programs use. A variable for the tests' sake.
var level = func() int {
	x := cpu.X86
	switch {
	case !(x.HasCX16 && x.HasPOPCNT && x.HasSSE3 && x.HasSSSE3 && x.HasSSE41 && x.HasSSE42):
		return 1
	case !(x.HasAVX && x.HasAVX2 && x.HasBMI1 && x.HasBMI2 && x.HasFMA && x.HasOSXSAVE):
		return 2
	case !(x.HasAVX512F && x.HasAVX512BW && x.HasAVX512CD && x.HasAVX512DQ && x.HasAVX512VL):
		return 3
	}
	return 4
}()
