package oci

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// onLevel lets the host's CPU be of another level.
func onLevel(t *testing.T, n int) {
	real := level
	level = n
	t.Cleanup(func() { level = real })
}

// nested is a layout whose index.json is the given one.
func nested(t *testing.T, b *blobs, index []byte) string {
	t.Helper()
	dir := b.layout(t)
	for digest, content := range b.all {
		put(t, dir, blobName(digest), content)
	}
	put(t, dir, "index.json", index)
	return dir
}

// plainly is how an index tells of a blob when it says no platform.
func plainly(content []byte, mediaType string, annotations ...string) map[string]any {
	d := map[string]any{"mediaType": mediaType, "digest": digestOf(content), "size": len(content)}
	if len(annotations) == 2 {
		d["annotations"] = map[string]string{annotations[0]: annotations[1]}
	}
	return d
}

func TestAnIndexLeadsToItsImage(t *testing.T) {
	onLevel(t, 3)
	image, other := imageOf(t, layerOf(t, "right")), imageOf(t, layerOf(t, "wrong"))
	for digest, content := range other.all {
		image.all[digest] = content
	}
	image.add(other.manifest)
	index := func(entries ...map[string]any) []byte {
		content := indexOf(t, entries...)
		image.add(content)
		return content
	}
	attestation := listed([]byte("{}"), "unknown", "unknown", "")
	inner := index(listed(other.manifest, "linux", "arm64", ""), listed(image.manifest, "linux", "amd64", ""))
	deep := inner
	for range 6 {
		deep = index(plainly(deep, ociIndex))
	}
	for what, content := range map[string][]byte{
		"one entry without a platform":              index(plainly(image.manifest, ociManifest)),
		"one without, beside another architecture":  index(listed(other.manifest, "linux", "arm64", ""), plainly(image.manifest, ociManifest)),
		"one without, and its attestation":          index(plainly(image.manifest, ociManifest), attestation),
		"one that says it before one that does not": index(plainly(other.manifest, ociManifest), listed(image.manifest, "linux", "amd64", "")),
		"an index in an index":                      index(plainly(inner, ociIndex), attestation),
		"an index in an index that says a platform": index(listed(inner, "linux", "amd64", "")),
		"six of them":                                deep,
		"the best for this CPU":                      index(listed(other.manifest, "linux", "amd64", ""), listed(image.manifest, "linux", "amd64", "v3"), listed(other.manifest, "linux", "amd64", "v2"), listed(other.manifest, "linux", "amd64", "v4")),
		"the first of equals":                        index(listed(image.manifest, "linux", "amd64", ""), listed(other.manifest, "linux", "amd64", "v1")),
		"another name of the architecture":           index(listed(image.manifest, "Linux", "x86_64", "")),
		"empty texts for the platform":               index(listed(image.manifest, "", "", "")),
		"two names of one image":                     index(plainly(image.manifest, ociManifest, "org.opencontainers.image.ref.name", "a"), plainly(image.manifest, ociManifest, "org.opencontainers.image.ref.name", "a")),
		"a variant that nobody knows is passed over": index(listed(other.manifest, "linux", "amd64", "future"), listed(image.manifest, "linux", "amd64", "")),
	} {
		out, _, err := convert(t, nested(t, image, content), DefaultLimits)
		if err != nil {
			t.Errorf("%s in a layout: %v", what, err)
		} else if names := in(t, out, "/"); names != "right" {
			t.Errorf("%s in a layout: %s", what, names)
		}
		_, p := serve(t, image, func(s *registry, w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/manifests/1") {
				w.Header().Set("Content-Type", ociIndex)
				w.Write(content)
				return true
			}
			if digest := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; strings.Contains(r.URL.Path, "/manifests/") && image.all[digest] != nil {
				w.Write(image.all[digest])
				return true
			}
			return false
		})
		out = filepath.Join(t.TempDir(), "out")
		if _, err := p.Run(t.Context(), "", Target{Rootfs: out}, silent); err != nil {
			t.Errorf("%s in a registry: %v", what, err)
		} else if names := in(t, out, "/"); names != "right" {
			t.Errorf("%s in a registry: %s", what, names)
		}
	}
}

func TestWhatAnIndexIsRefusedFor(t *testing.T) {
	onLevel(t, 2)
	b := imageOf(t, layerOf(t, "a"))
	long := make([]map[string]any, 1001)
	for n := range long {
		long[n] = listed(b.manifest, "linux", "arm64", "")
	}
	deep := indexOf(t, plainly(b.manifest, ociManifest))
	for range 9 {
		b.add(deep)
		deep = indexOf(t, plainly(deep, ociIndex))
	}
	for want, content := range map[string][]byte{
		"only linux/arm64, linux/s390x":                 indexOf(t, listed(b.manifest, "linux", "arm64", ""), listed(b.manifest, "linux", "s390x", "")),
		"has no image for linux/amd64, only linux/a":    indexOf(t, listed(b.manifest, "linux", "arm64", "")),
		"for linux/amd64 up to v2, only linux/amd64/v3": indexOf(t, listed(b.manifest, "linux", "amd64", "v3")),
		"only attestations":                             indexOf(t, listed(b.manifest, "unknown", "unknown", "")),
		"lists 1001 images":                             indexOf(t, long...),
		"more than 8 indexes":                           deep,
		"holds 2 images: a, b":                          indexOf(t, plainly(b.manifest, ociManifest, "io.containerd.image.name", "a"), plainly(b.manifest, ociManifest, "io.containerd.image.name", "b")),
		"no sha256 digest":                              indexOf(t, map[string]any{"digest": "../../etc/passwd"}),
	} {
		if _, _, err := convert(t, nested(t, b, content), DefaultLimits); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestAConfigurationWithoutAPlatformIsForThisOne(t *testing.T) {
	onLevel(t, 2)
	for said, want := range map[[3]string]string{
		{"", "", ""}:             "",
		{"linux", "x86_64", ""}:  "",
		{"linux", "amd64", "v2"}: "",
		{"linux", "amd64", "v3"}: "is for linux/amd64/v3, not linux/amd64 up to v2",
		{"linux", "arm64", "v8"}: "is for linux/arm64/v8, not linux/amd64",
		{"windows", "", ""}:      "is for windows/amd64, not linux/amd64",
	} {
		text := marshal(t, map[string]any{"os": said[0], "architecture": said[1], "variant": said[2]})
		_, _, err := parseConfig(text, "it", 0)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %v", said, err)
		}
	}
}

// saved writes what docker save wrote: each layer below its own directory. A link stands for the layer that it names.
func saved(t *testing.T, link byte, layers ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	var names, ids []string
	first := map[string]string{}
	for n, layer := range layers {
		name := strings.Repeat(string("0123456789abcdef"[n]), 64) + "/layer.tar"
		put(t, dir, name, layer)
		ids, names = append(ids, digestOf(layer)), append(names, name)
		if earlier, again := first[digestOf(layer)]; again && link != 0 {
			path := filepath.Join(dir, name)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			var err error
			if link == 's' {
				err = os.Symlink("../"+earlier, path)
			} else {
				err = os.Link(filepath.Join(dir, earlier), path)
			}
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		first[digestOf(layer)] = name
	}
	config := marshal(t, configOf(ids))
	put(t, dir, "config.json", config)
	put(t, dir, "manifest.json", marshal(t, []any{map[string]any{"Config": "config.json", "RepoTags": []string{"a:1"}, "Layers": names}}))
	return dir
}

func tarOf(t *testing.T, dir string, options ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "saved.tar")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	args := append(options, "-C", dir, "-cf", file)
	for _, e := range entries {
		args = append(args, e.Name())
	}
	if out, err := exec.Command("tar", args...).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	return file
}

func TestWhatOlderToolsSavedIsTaken(t *testing.T) {
	empty, file, over := layerOf(t), layerOf(t, "a", "gone"), layerOf(t, "b", ".wh.gone")
	old := t.TempDir()
	below := ""
	for n, layer := range [][]byte{file, over} {
		id := strings.Repeat(string("ab"[n]), 64)
		put(t, old, id+"/json", marshal(t, map[string]any{"id": id, "parent": below, "os": "linux", "architecture": "amd64", "config": map[string]any{"Env": []string{"A=b"}}}))
		put(t, old, id+"/VERSION", []byte("1.0"))
		put(t, old, id+"/layer.tar", layer)
		below = id
	}
	put(t, old, "repositories", marshal(t, map[string]any{"app": map[string]string{"latest": below, "1": below}}))

	dockerDir := t.TempDir()
	image := imageOf(t, file, over)
	for digest, content := range image.all {
		put(t, dockerDir, strings.TrimPrefix(digest, "sha256:"), content)
	}
	put(t, dockerDir, "manifest.json", image.manifest)
	put(t, dockerDir, "version", []byte("Directory Transport Version: 1.1\n"))

	zstdLayers := packedBy(t, byZstd, file, over).layout(t)
	for what, source := range map[string]string{
		"a layer that is a symbolic link":     tarOf(t, saved(t, 's', file, empty, empty, over)),
		"a layer that is a hard link":         tarOf(t, saved(t, 'h', file, empty, empty, over)),
		"no links":                            tarOf(t, saved(t, 0, file, empty, empty, over)),
		"compressed with gzip":                tarOf(t, saved(t, 's', file, empty, empty, over), "-z"),
		"compressed with zstd":                tarOf(t, saved(t, 0, file, over), "--zstd"),
		"a compressed layout":                 tarOf(t, imageOf(t, file, over).layout(t), "-J"),
		"layers of zstd":                      tarOf(t, zstdLayers),
		"a directory that it was unpacked to": saved(t, 's', file, empty, empty, over),
		"no manifest":                         tarOf(t, old),
		"no manifest, compressed":             tarOf(t, old, "-z"),
		"podman's docker-dir":                 dockerDir,
	} {
		out, result, err := convert(t, source, DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if names := in(t, out, "/"); names != "a b" || len(result.Config.Env) == 0 {
			t.Errorf("%s: %s, %v", what, names, result.Config)
		}
	}
}

func TestLinksOfAnArchiveLeadNowhereElse(t *testing.T) {
	for what, target := range map[string]string{
		"a link to the host's file": "/etc/passwd",
		"one that climbs out":       "../../../../../../etc/passwd",
		"one to itself":             "layer.tar",
		"one to nothing":            "../gone/layer.tar",
	} {
		dir := saved(t, 0, layerOf(t, "a"))
		path := filepath.Join(dir, strings.Repeat("0", 64), "layer.tar")
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		for _, source := range []string{tarOf(t, dir), dir} {
			if _, _, err := convert(t, source, DefaultLimits); AsFault(err).Kind != BadSource {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

func TestWhatASaveIsRefusedFor(t *testing.T) {
	loop, several := t.TempDir(), t.TempDir()
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	for id, parent := range map[string]string{a: b, b: a} {
		put(t, loop, id+"/json", marshal(t, map[string]any{"parent": parent}))
		put(t, loop, id+"/layer.tar", layerOf(t, "a"))
	}
	put(t, loop, "repositories", marshal(t, map[string]any{"app": map[string]string{"1": a}}))
	put(t, several, "repositories", marshal(t, map[string]any{"app": map[string]string{"1": a, "2": b}}))
	outside := t.TempDir()
	put(t, outside, "repositories", marshal(t, map[string]any{"app": map[string]string{"1": "../../etc"}}))
	bomb := DefaultLimits
	bomb.Bomb = 1 << 20
	for want, test := range map[string]struct {
		source string
		limits Limits
	}{
		"or more than 512":    {tarOf(t, loop), DefaultLimits},
		"holds 2 images":      {tarOf(t, several), DefaultLimits},
		`named "../../etc"`:   {tarOf(t, outside), DefaultLimits},
		"decompression bomb?": {tarOf(t, saved(t, 0, layerOf(t, "a="+strings.Repeat("x", 8<<20))), "-z"), bomb},
	} {
		if _, _, err := convert(t, test.source, test.limits); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
