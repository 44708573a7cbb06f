package oci

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"banger.dev/native/internal/mkext4"
	"banger.dev/native/internal/room"
)

// item is an entry of a test's layer, by what matters of it: "dir/" is a directory, "name -> target" a link, "name => target"
// a hard link, "name" a file with its own name as content; text behind a "=" is other content.
func layerOf(t *testing.T, items ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, item := range items {
		header := &tar.Header{Name: item, Typeflag: tar.TypeReg, Mode: 0o644, Uid: 1, Gid: 2}
		content := item
		if name, target, ok := strings.Cut(item, " -> "); ok {
			header.Typeflag, header.Name, header.Linkname = tar.TypeSymlink, name, target
		} else if name, target, ok := strings.Cut(item, " => "); ok {
			header.Typeflag, header.Name, header.Linkname = tar.TypeLink, name, target
		} else if name, text, ok := strings.Cut(item, "="); ok {
			header.Name, content = name, text
		} else if strings.HasSuffix(item, "/") {
			header.Typeflag, header.Mode = tar.TypeDir, 0o750
		}
		if header.Typeflag == tar.TypeReg {
			header.Size = int64(len(content))
		}
		write(t, w, header, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func write(t *testing.T, w *tar.Writer, header *tar.Header, content string) {
	t.Helper()
	if err := w.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if header.Typeflag == tar.TypeReg && header.Size > 0 {
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
}

// headers makes a layer of entries that need more than a name.
func headers(t *testing.T, all ...*tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range all {
		write(t, w, h, strings.Repeat("x", int(h.Size)))
	}
	w.Close()
	return out.Bytes()
}

func zipped(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(content)
	w.Close()
	return out.Bytes()
}

func byZstd(content []byte) []byte {
	z, _ := zstd.NewWriter(nil)
	return z.EncodeAll(content, nil)
}

// blobs is an image as a registry or layout has it.
type blobs struct {
	manifest []byte
	all      map[string][]byte
}

func (b *blobs) add(content []byte) string {
	digest := digestOf(content)
	b.all[digest] = content
	return digest
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	content, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func configOf(diffIDs []string) map[string]any {
	return map[string]any{
		"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs},
		"config": map[string]any{"Env": []string{"PATH=/bin", "nothing", "A=b\x00c"}, "Cmd": []string{"sh"}, "WorkingDir": "../../srv", "User": "app:app"},
	}
}

// imageOf puts layers together. A layer is compressed.
func imageOf(t *testing.T, layers ...[]byte) *blobs {
	t.Helper()
	return packedBy(t, zipped, layers...)
}

func packedBy(t *testing.T, pack func([]byte) []byte, layers ...[]byte) *blobs {
	t.Helper()
	b := &blobs{all: map[string][]byte{}}
	var descriptors []map[string]any
	var diffIDs []string
	for _, layer := range layers {
		packed := pack(layer)
		diffIDs = append(diffIDs, digestOf(layer))
		descriptors = append(descriptors, map[string]any{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": b.add(packed), "size": len(packed)})
	}
	config := marshal(t, configOf(diffIDs))
	b.manifest = marshal(t, map[string]any{
		"schemaVersion": 2, "mediaType": ociManifest, "layers": descriptors,
		"config": map[string]any{"mediaType": "application/vnd.oci.image.config.v1+json", "digest": b.add(config), "size": len(config)},
	})
	return b
}

// layout writes the image as an OCI layout.
func (b *blobs) layout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	b.add(b.manifest)
	index := marshal(t, map[string]any{"schemaVersion": 2, "manifests": []any{map[string]any{"mediaType": ociManifest, "digest": digestOf(b.manifest), "size": len(b.manifest)}}})
	put(t, dir, "oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	put(t, dir, "index.json", index)
	for digest, content := range b.all {
		put(t, dir, blobName(digest), content)
	}
	return dir
}

// listed is how an index tells of a manifest.
func listed(manifest []byte, os, arch, variant string) map[string]any {
	return map[string]any{"mediaType": ociManifest, "digest": digestOf(manifest), "size": len(manifest), "platform": map[string]any{"os": os, "architecture": arch, "variant": variant}}
}

func indexOf(t *testing.T, manifests ...map[string]any) []byte {
	t.Helper()
	return marshal(t, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": manifests})
}

func put(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func silent(string, int64, int64) {}

// convert imports a layout, or whatever source is, and gives the names and the failure.
func convert(t *testing.T, source string, limits Limits) (string, *Result, error) {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "rootfs.ext4")
	result, err := Import(context.Background(), source, Target{Rootfs: out}, limits, silent)
	if left, _ := os.ReadDir(dir); err != nil && len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err == nil {
		if text, err := exec.Command("/sbin/e2fsck", "-fn", out).CombinedOutput(); err != nil {
			t.Errorf("e2fsck: %v\n%s", err, text)
		}
	}
	return out, result, err
}

// shown lists the merged tree of layers, without writing it.
func shown(t *testing.T, layers ...[]byte) ([]string, error) {
	t.Helper()
	merged := newTree(&budget{Limits: DefaultLimits})
	for at, layer := range layers {
		merged.layer = at
		spool, err := newSpool(t.TempDir(), room.Reserve{})
		if err != nil {
			t.Fatal(err)
		}
		reader := &layerReader{spool: spool, limits: &budget{Limits: DefaultLimits}}
		entries, _, err := reader.read(bytes.NewReader(layer))
		if err != nil {
			return nil, err
		}
		if err := spool.finish(); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if err := merged.apply(e); err != nil {
				return nil, err
			}
		}
	}
	var all []string
	list(&all, "", merged.root, map[*mkext4.Node]string{})
	return all, nil
}

func list(all *[]string, path string, n *mkext4.Node, seen map[*mkext4.Node]string) {
	names := []string{}
	for name := range n.Children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child, at := n.Children[name], path+name
		first, again := seen[child]
		switch {
		case again:
			at += " => " + first
		case child.IsDir():
			at += "/"
		case child.Type() == mkext4.TypeSymlink:
			at += " -> " + child.Link
		case child.Type() == mkext4.TypeRegular:
			content := make([]byte, child.Size)
			child.Content.ReadAt(content, child.Offset)
			if string(content) != at {
				at += "=" + string(content)
			}
		}
		seen[child] = path + name
		*all = append(*all, at)
		if child.IsDir() {
			list(all, at, child, seen)
		}
	}
}

func TestLayersAreMerged(t *testing.T) {
	type layers = [][]string
	for what, test := range map[string]struct {
		layers layers
		want   string
	}{
		"a later file wins":                                        {layers{{"a=1", "b"}, {"a=2"}}, "a=2 b"},
		"a later entry of one layer wins":                          {layers{{"a=1", "a=2"}}, "a=2"},
		"a directory twice keeps what is in it":                    {layers{{"d/", "d/a"}, {"d/", "d/b"}}, "d/ d/a d/b"},
		"what no layer made is made":                               {layers{{"x/y/z"}}, "x/ x/y/ x/y/z"},
		"a file in place of a directory":                           {layers{{"d/", "d/a"}, {"d=file"}}, "d=file"},
		"a directory in place of a file":                           {layers{{"d=file"}, {"d/", "d/a"}}, "d/ d/a"},
		"a whiteout hides":                                         {layers{{"a", "d/", "d/b"}, {".wh.a", "d/.wh.b"}}, "d/"},
		"a whiteout hides a directory":                             {layers{{"d/", "d/a", "d/e/", "d/e/f"}, {".wh.d"}}, ""},
		"a whiteout of nothing":                                    {layers{{"a"}, {".wh.b", "c/.wh.d"}}, "a c/"},
		"a whiteout does not hide its own layer":                   {layers{{"a=1"}, {"a=2", ".wh.a"}}, "a=2"},
		"nor when it comes first":                                  {layers{{"a=1"}, {".wh.a", "a=2"}}, "a=2"},
		"opaque hides what was below":                              {layers{{"d/", "d/a", "d/e/", "d/e/f"}, {"d/", "d/.wh..wh..opq", "d/b"}}, "d/ d/b"},
		"opaque comes last":                                        {layers{{"d/", "d/a", "d/e/", "d/e/f"}, {"d/", "d/b", "d/e/", "d/e/g", "d/.wh..wh..opq"}}, "d/ d/b d/e/ d/e/g"},
		"hidden, then made anew by a later layer":                  {layers{{"d/", "d/a"}, {".wh.d"}, {"d/", "d/b"}}, "d/ d/b"},
		"metadata of aufs":                                         {layers{{".wh..wh.plnk/", ".wh..wh.aufs", "a"}}, "a"},
		"hard links":                                               {layers{{"a", "b => a", "c => /b", "d => ./c"}}, "a b => a c => b d => c"},
		"a hard link into the layer below":                         {layers{{"a"}, {"b => a"}}, "a b => a"},
		"its target hidden later":                                  {layers{{"a", "b => a"}, {".wh.a"}}, "b=a"},
		"its target replaced":                                      {layers{{"a", "b => a"}, {"a=new"}}, "a=new b=a"},
		"a hard link to itself":                                    {layers{{"a", "a => a"}}, "a"},
		"a hard link to a link":                                    {layers{{"l -> nowhere", "m => l"}}, "l -> nowhere m => l"},
		"through a link to a directory":                            {layers{{"usr/", "usr/lib/", "lib -> usr/lib"}, {"lib/a"}}, "lib -> usr/lib usr/ usr/lib/ usr/lib/a=lib/a"},
		"through an absolute link, from the root":                  {layers{{"l -> /etc", "etc/"}, {"l/a"}}, "etc/ etc/a=l/a l -> /etc"},
		"through a link that climbs above the root":                {layers{{"l -> ../../../etc", "etc/"}, {"l/a"}}, "etc/ etc/a=l/a l -> ../../../etc"},
		"through a link to what is not there":                      {layers{{"l -> x/y"}, {"l/a"}}, "l -> x/y x/ x/y/ x/y/a=l/a"},
		"a directory replaced by a link, through which is written": {layers{{"d/", "d/a", "e/"}, {"d -> e"}, {"d/b"}}, "d -> e e/ e/b=d/b"},
		"a link replaced by a directory":                           {layers{{"l -> /etc", "etc/"}, {"l/", "l/a"}}, "etc/ l/ l/a"},
		"links that climb above the root are kept":                 {layers{{"a/b/l -> ../../../../up"}}, "a/ a/b/ a/b/l -> ../../../../up"},
		"absolute names":                                           {layers{{"/a", "//b/c"}}, "a b/ b/c=//b/c"},
		"names that are not UTF-8":                                 {layers{{"\xff\xfe"}}, "\xff\xfe"},
	} {
		var archives [][]byte
		for _, items := range test.layers {
			archives = append(archives, layerOf(t, items...))
		}
		got, err := shown(t, archives...)
		want := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(test.want, " -> ", "\x01"), " => ", "\x02"))
		for at := range want {
			want[at] = strings.ReplaceAll(strings.ReplaceAll(want[at], "\x01", " -> "), "\x02", " => ")
			if test.want == "a b/ b/c=//b/c" && want[at] == "a" {
				want[at] = "a=/a"
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, not %q, %v", what, got, want, err)
		}
	}
}

func TestWhatAnImageIsRefusedFor(t *testing.T) {
	many := make([]string, 0, 50)
	for n := range 50 {
		many = append(many, fmt.Sprintf("l%d -> l%d", n, n+1))
	}
	many = append(many, "l0/x")
	small := DefaultLimits
	small.Entries, small.Content = 1000, 1<<20
	bomb := DefaultLimits
	bomb.Bomb = 1 << 20
	crowd := make([]string, 1001)
	for n := range crowd {
		crowd[n] = fmt.Sprint("f", n)
	}
	long := strings.Repeat("n", 300)
	type hdr = tar.Header
	for want, test := range map[string]struct {
		layer  []byte
		limits Limits
		kind   Kind
	}{
		`layer 1, "../a": "../a" climbs out with ..`:               {layerOf(t, "../a"), DefaultLimits, BadLayer},
		`"x/../../a" climbs out`:                                   {layerOf(t, "x/../../a"), DefaultLimits, BadLayer},
		`hard link: "../../etc/passwd" climbs out`:                 {layerOf(t, "a => ../../etc/passwd"), DefaultLimits, BadLayer},
		`a hard link to "b", which is not there`:                   {layerOf(t, "a => b"), DefaultLimits, BadLayer},
		`a hard link to "/etc/passwd", which is not there`:         {layerOf(t, "a => /etc/passwd"), DefaultLimits, BadLayer},
		`a hard link to "l/passwd", which is not there`:            {layerOf(t, "l -> ../../../etc", "a => l/passwd"), DefaultLimits, BadLayer},
		`a hard link to the directory "d"`:                         {layerOf(t, "d/", "a => d"), DefaultLimits, BadLayer},
		`"f" on the way to it is not a directory`:                  {layerOf(t, "f", "f/a"), DefaultLimits, BadLayer},
		"more than 40 links on the way to it":                      {layerOf(t, many...), DefaultLimits, BadLayer},
		"a name of 300 bytes; 255 are possible":                    {layerOf(t, long), DefaultLimits, BadLayer},
		"a whiteout of nothing":                                    {layerOf(t, ".wh."), DefaultLimits, BadLayer},
		"the image has more than 1000 files":                       {layerOf(t, crowd...), small, TooLarge},
		"the image's files are larger than 0 GiB together":         {headers(t, &hdr{Name: "a", Typeflag: tar.TypeReg, Size: 2 << 20}), small, TooLarge},
		"it unpacks to more than 1 MiB, over 100 times what it is": {headers(t, &hdr{Name: "a", Typeflag: tar.TypeReg, Size: 64 << 20}), bomb, TooLarge},
		`an entry of the unknown type 'V'`:                         {headers(t, &hdr{Name: "a", Typeflag: 'V'}), DefaultLimits, BadLayer},
		`attribute "user.a" of 5000 bytes`:                         {headers(t, &hdr{Name: "a", Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{xattrPrefix + "user.a": strings.Repeat("v", 5000)}}), DefaultLimits, BadLayer},
		"a link to a name of 0 bytes":                              {headers(t, &hdr{Name: "a", Typeflag: tar.TypeSymlink, Linkname: ""}), DefaultLimits, BadLayer},
	} {
		_, _, err := convert(t, imageOf(t, test.layer).layout(t), test.limits)
		if err == nil || !strings.Contains(err.Error(), want) || AsFault(err).Kind != test.kind {
			t.Errorf("%s: %v, %v", want, AsFault(err).Kind, err)
		}
	}
}

func TestWhatALayoutIsRefusedFor(t *testing.T) {
	good := func() *blobs { return imageOf(t, layerOf(t, "a")) }
	layerDigest := func(b *blobs) string {
		m, err := parseManifest(b.manifest, "")
		if err != nil {
			t.Fatal(err)
		}
		return m.Layers[0].Digest
	}
	change := func(b *blobs, from, to string) *blobs {
		if !bytes.Contains(b.manifest, []byte(from)) {
			t.Fatalf("no %s in %s", from, b.manifest)
		}
		b.manifest = bytes.Replace(b.manifest, []byte(from), []byte(to), 1)
		return b
	}
	withConfig := func(config []byte) *blobs {
		b := good()
		m, _ := parseManifest(b.manifest, "")
		return change(b, m.Config.Digest, b.add(config))
	}
	// repacked has another layer, with its right digest and size.
	repacked := func(content []byte) string {
		b := good()
		old := layerDigest(b)
		b = change(b, old, b.add(content))
		return change(b, fmt.Sprintf(`"size":%d}]`, len(b.all[old])), fmt.Sprintf(`"size":%d}]`, len(content))).layout(t)
	}
	packed := func() []byte { b := good(); return bytes.Clone(b.all[layerDigest(b)]) }
	for want, make := range map[string]func() string{
		"layer 1: it is cut off or damaged (unexpected EOF)": func() string { content := packed(); return repacked(content[:len(content)-12]) },
		"layer 1: it is cut off or damaged (flate": func() string {
			content := packed()
			content[10] |= 7
			return repacked(content)
		},
		"in it is sha256:": func() string {
			b := good()
			dir := b.layout(t)
			put(t, dir, blobName(digestOf(b.manifest)), []byte("{}"))
			return dir
		},
		"it is cut off or damaged (unexpected EOF)": func() string {
			file := filepath.Join(t.TempDir(), "image.tar")
			if text, err := exec.Command("sh", "-c", `tar -C "$1" -cf - . | head -c 3000 >"$2"`, "sh", good().layout(t), file).CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, text)
			}
			return file
		},
		"not " + layerDigest(good()) + " as it is named": func() string {
			b := good()
			dir := b.layout(t)
			content := bytes.Clone(b.all[layerDigest(b)])
			content[4] ^= 1 // the archive's time, which nothing else depends on
			put(t, dir, blobName(layerDigest(b)), content)
			return dir
		},
		": it is cut off or damaged": func() string {
			b := good()
			dir := b.layout(t)
			content := b.all[layerDigest(b)]
			put(t, dir, blobName(layerDigest(b)), content[:len(content)/2])
			return dir
		},
		"has no image for linux/amd64, only linux/arm64/v8, windows/amd64": func() string {
			b := good()
			dir := b.layout(t)
			put(t, dir, "index.json", indexOf(t, listed(b.manifest, "linux", "arm64", "v8"), listed(b.manifest, "windows", "amd64", ""), listed(b.manifest, "unknown", "unknown", "")))
			return dir
		},
		"is for linux/arm64, not linux/amd64": func() string {
			return withConfig([]byte(`{"architecture":"arm64","os":"linux"}`)).layout(t)
		},
		"is no JSON: invalid character 'o' in literal null": func() string { return withConfig([]byte("no json")).layout(t) },
		"has 1 layers, its configuration names 0": func() string {
			return withConfig([]byte(`{"architecture":"amd64","os":"linux"}`)).layout(t)
		},
		"it unpacks to": func() string {
			return withConfig(marshal(t, configOf([]string{digestOf([]byte("other"))}))).layout(t)
		},
		"it is cut off or damaged (gzip: invalid header)": func() string {
			dir := t.TempDir()
			put(t, dir, "x", append([]byte{0x1F, 0x8B}, make([]byte, 100)...))
			return dir + "/x"
		},
		"is no OCI layout":             func() string { return t.TempDir() },
		"is no sha256 digest":          func() string { return change(good(), layerDigest(good()), "md5:1234").layout(t) },
		"is no archive that banger kn": func() string { dir := t.TempDir(); put(t, dir, "x", []byte("text")); return dir + "/x" },
		"check the path":               func() string { return "/nonexistent" },
	} {
		_, _, err := convert(t, make(), DefaultLimits)
		if err == nil || !strings.Contains(err.Error()+AsFault(err).Fix, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestSourcesOfOneImageGiveOneFileSystem(t *testing.T) {
	layers := [][]byte{layerOf(t, "bin/", "bin/sh", "etc/", "etc/a"), layerOf(t, "etc/.wh.a", "etc/b")}
	b := imageOf(t, layers...)
	dir := b.layout(t)
	pack := func(dir string) string {
		file := filepath.Join(t.TempDir(), "image.tar")
		if text, err := exec.Command("tar", "-cf", file, "-C", dir, ".").CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, text)
		}
		return file
	}
	saved := t.TempDir()
	m, _ := parseManifest(b.manifest, "")
	put(t, saved, "config.json", b.all[m.Config.Digest])
	put(t, saved, "one/layer.tar", layers[0])
	put(t, saved, "two/layer.tar", layers[1])
	put(t, saved, "manifest.json", marshal(t, []any{map[string]any{"Config": "config.json", "RepoTags": []string{"x:1"}, "Layers": []string{"one/layer.tar", "two/layer.tar"}}}))
	flat := filepath.Join(t.TempDir(), "rootfs.tar.gz")
	if err := os.WriteFile(flat, zipped(layerOf(t, "bin/", "bin/sh", "etc/", "etc/b")), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{flat, tarOf(t, saved, "-z")} {
		told := false
		_, err := Import(context.Background(), source, Target{Rootfs: filepath.Join(t.TempDir(), "rootfs.ext4")}, DefaultLimits, func(phase string, done, total int64) {
			told = told || phase == "read" && 0 < done && done <= total
		})
		if err != nil || !told {
			t.Errorf("whoever waits for %s is not told that it is read: %v", source, err)
		}
	}
	for what, source := range map[string]string{"layout": dir, "layout in an archive": pack(dir), "docker save": pack(saved), "root file system": flat} {
		out, result, err := convert(t, source, DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		text, err := exec.Command("/sbin/debugfs", "-R", "ls -p /etc", out).Output()
		if err != nil || !strings.Contains(string(text), "/b/") || strings.Contains(string(text), "/a/") {
			t.Errorf("%s: %s %v", what, text, err)
		}
		if what != "root file system" && (result.Config.Workdir != "/srv" || !slices.Equal(result.Config.Env, []string{"PATH=/bin"}) || result.Config.User != "app:app") {
			t.Errorf("%s: %+v", what, result.Config)
		}
	}
}

func TestARootFileSystemMayHaveNamesThatLookLikeWhiteouts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rootfs.tar")
	os.WriteFile(file, layerOf(t, "a", ".wh.a"), 0o644)
	out, _, err := convert(t, file, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := exec.Command("/sbin/debugfs", "-R", "ls -p /", out).Output()
	if !strings.Contains(string(text), "/a/") || !strings.Contains(string(text), "/.wh.a/") {
		t.Error(string(text))
	}
}

func TestAFullDiskIsSaidToBeFull(t *testing.T) {
	for cause, kind := range map[error]Kind{syscall.ENOSPC: DiskFull, syscall.EDQUOT: DiskFull, errors.New("no"): Failed} {
		err := &os.PathError{Op: "write", Path: "/x", Err: cause}
		if f := AsFault(fmt.Errorf("layer 1: %w", err)); f.Kind != kind || (kind == DiskFull) != strings.Contains(f.Fix, "banger prune") {
			t.Error(f)
		}
		// Writing what a registry sends fails here, not there: it is not asked again.
		if f := AsFault((&Pull{}).explain(err, "host", "image")); f.Kind != kind || temporary(err) {
			t.Error(f)
		}
	}
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	reader := &layerReader{spool: &spool{file: room.Reserve{}.Keep(full), buffer: make([]byte, 0, 1<<20)}, limits: &budget{Limits: DefaultLimits}}
	if _, _, err := reader.read(bytes.NewReader(layerOf(t, "a="+strings.Repeat("x", 3<<20)))); AsFault(err).Kind != DiskFull {
		t.Error(err)
	}
}

func TestWhatTakesMemoryIsCounted(t *testing.T) {
	limits := DefaultLimits
	limits.Names = 1 << 20
	attribute := map[string]string{xattrPrefix + "user.big": strings.Repeat("v", 900_000)}
	layer := headers(t,
		&tar.Header{Name: "a", Typeflag: tar.TypeReg, PAXRecords: attribute, Format: tar.FormatPAX},
		&tar.Header{Name: "b", Typeflag: tar.TypeReg, PAXRecords: attribute, Format: tar.FormatPAX})
	_, _, err := convert(t, imageOf(t, layer).layout(t), limits)
	if AsFault(err).Kind != TooLarge || !strings.Contains(err.Error(), "larger than 1 MiB together") {
		t.Error(err)
	}
	_, _, err = convert(t, imageOf(t, headers(t, &tar.Header{Name: strings.Repeat("n/", 3000), Typeflag: tar.TypeDir, Format: tar.FormatPAX})).layout(t), DefaultLimits)
	if AsFault(err).Kind != BadLayer || !strings.Contains(err.Error(), "a name of 6000 bytes") {
		t.Error(err)
	}
}

// TestMergingIsLinear has what an archive of a few mebibytes can hold: a directory told of again and again.
func TestMergingIsLinear(t *testing.T) {
	const n = 60_000
	for what, repeated := range map[string]func() *entry{
		"directory": func() *entry { return &entry{name: "a/", kind: tar.TypeDir, node: mkext4.Dir(0o755, zeroTime)} },
		"opaque":    func() *entry { return &entry{name: "a/.wh..wh..opq", kind: tar.TypeReg} },
		"whiteout":  func() *entry { return &entry{name: ".wh.a", kind: tar.TypeReg} },
		"nested":    func() *entry { return &entry{name: "a/d/.wh..wh..opq", kind: tar.TypeReg} },
	} {
		merged := newTree(&budget{Limits: DefaultLimits})
		apply := func(e *entry) {
			if err := merged.apply(e); err != nil {
				t.Fatal(err)
			}
		}
		file := func(name string) *entry {
			return &entry{name: name, kind: tar.TypeReg, node: &mkext4.Node{Mode: mkext4.TypeRegular}}
		}
		apply(file("a/old"))
		merged.layer = 1
		for i := range n {
			apply(file(fmt.Sprintf("a/d/%d", i)))
		}
		began := time.Now()
		for range n {
			apply(repeated())
		}
		// A few hundred milliseconds; it was a quarter of an hour.
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: %v", what, took)
		}
		if left := len(merged.root.Children["a"].Children["d"].Children); left != n {
			t.Errorf("%s: %d files are left of %d", what, left, n)
		}
		if old := merged.root.Children["a"].Children["old"]; (old == nil) != (what == "opaque" || what == "whiteout") {
			t.Errorf("%s: what is older is %v", what, old)
		}
	}
}

func TestADirectoryToldOfAgainIsWhatItIsToldToBe(t *testing.T) {
	at := func(layer int, mode int64, uid int) *tar.Header {
		return &tar.Header{Name: "d/", Typeflag: tar.TypeDir, Mode: mode, Uid: uid, PAXRecords: map[string]string{xattrPrefix + "user.layer": fmt.Sprint(layer)}, Format: tar.FormatPAX}
	}
	out, _, err := convert(t, imageOf(t, headers(t, at(1, 0o755, 1), &tar.Header{Name: "d/a", Typeflag: tar.TypeReg}), headers(t, at(2, 0o1777, 5))).layout(t), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if stat := debugfs(t, out, "stat /d"); !strings.Contains(stat, "Mode:  01777") || !strings.Contains(stat, "User:     5") || !strings.Contains(stat, `user.layer (1) = "2"`) {
		t.Error(stat)
	}
	if names := debugfs(t, out, "ls -p /d"); !strings.Contains(names, "/a/") {
		t.Error(names)
	}
}

func TestDirectoriesThatNoEntryNamesAreCounted(t *testing.T) {
	limits := DefaultLimits
	limits.Entries = 3000
	deep := []string{}
	for n := range 20 {
		deep = append(deep, fmt.Sprintf("%d/%sx", n, strings.Repeat("d/", 1000)))
	}
	if _, _, err := convert(t, imageOf(t, layerOf(t, deep...)).layout(t), limits); AsFault(err).Kind != TooLarge || !strings.Contains(err.Error(), "more than 3000 files") {
		t.Error(err)
	}
}

func TestAWalkThroughLinksIsShort(t *testing.T) {
	// Each link leads through two thousand directories that are there.
	items := []string{"l0/"}
	for n := range 5 {
		items = append(items, fmt.Sprintf("l%d -> %sl%d", n+1, strings.Repeat("l0/../", 340), n))
	}
	if _, _, err := convert(t, imageOf(t, layerOf(t, append(items, "l5/x")...)).layout(t), DefaultLimits); err != nil {
		t.Error("four thousand names are too many?", err)
	}
	for n := 5; n < 12; n++ {
		items = append(items, fmt.Sprintf("l%d -> %sl%d", n+1, strings.Repeat("l0/../", 340), n))
	}
	if _, _, err := convert(t, imageOf(t, layerOf(t, append(items, "l12/x")...)).layout(t), DefaultLimits); err == nil || !strings.Contains(err.Error(), "more than 4096 names on the way") {
		t.Error(err)
	}
	merged := newTree(&budget{Limits: DefaultLimits})
	merged.steps = maxSteps - 1
	if err := merged.apply(&entry{name: "a/b/c", kind: tar.TypeDir, node: mkext4.Dir(0o755, zeroTime)}); err == nil || AsFault(err).Kind != TooLarge {
		t.Error(err)
	}
}

func TestNumbersThatNoFileSystemHoldsAreRefused(t *testing.T) {
	for want, header := range map[string]*tar.Header{
		"owner is 4294967296":           {Name: "a", Typeflag: tar.TypeReg, Uid: 1 << 32},
		"owner is 4294967295":           {Name: "a", Typeflag: tar.TypeDir, Uid: 1<<32 - 1},
		"group is 8589934593":           {Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b", Gid: 1<<33 + 1},
		"owner is -1":                   {Name: "a", Typeflag: tar.TypeReg, Uid: -1},
		"major number is 4096":          {Name: "a", Typeflag: tar.TypeChar, Devmajor: 1 << 12},
		"device's minor number is 1048": {Name: "a", Typeflag: tar.TypeBlock, Devminor: 1 << 20},
	} {
		header.Format = tar.FormatGNU
		_, _, err := convert(t, imageOf(t, headers(t, header)).layout(t), DefaultLimits)
		if err == nil || AsFault(err).Kind != BadLayer || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"a"`) {
			t.Errorf("%s: %v", want, err)
		}
	}
	out, _, err := convert(t, imageOf(t, headers(t, &tar.Header{Name: "a", Typeflag: tar.TypeReg, Uid: 1<<32 - 2, Format: tar.FormatGNU})).layout(t), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if stat := debugfs(t, out, "stat /a"); !strings.Contains(stat, "User: 4294967294") && !strings.Contains(stat, "User:    -2") {
		t.Error(stat)
	}
}
