package kernel

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"

	"banger.dev/native/internal/room"
)

// ar is an archive as dpkg-deb makes it; members begin at even offsets.
func ar(members ...[2]string) []byte {
	out := bytes.NewBufferString(arMagic)
	for _, m := range members {
		fmt.Fprintf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", m[0], 0, 0, 0, "100644", len(m[1]), m[1])
		if len(m[1])%2 == 1 {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

type entry struct{ name, content string }

func tarOf(t *testing.T, entries []entry) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(e.content))}
		if target, ok := strings.CutPrefix(e.content, "-> "); ok {
			header.Typeflag, header.Linkname, header.Size = tar.TypeSymlink, target, 0
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if header.Size > 0 {
			w.Write([]byte(e.content))
		}
	}
	w.Close()
	return out.String()
}

func compressed(t *testing.T, kind, text string) string {
	t.Helper()
	var out bytes.Buffer
	switch kind {
	case "gz":
		w := gzip.NewWriter(&out)
		w.Write([]byte(text))
		w.Close()
	case "xz":
		w, err := xz.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
		w.Close()
	default:
		return text
	}
	return out.String()
}

// entriesOf is a kernel and the test's module tree, as they lie in a package.
func entriesOf(t *testing.T, prefix string) (kernel, modules []entry) {
	t.Helper()
	image, err := os.ReadFile(writeKernel(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := makeTree(t, nil)
	filepath.WalkDir(dir, func(file string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(file)
		name, _ := filepath.Rel(dir, file)
		modules = append(modules, entry{prefix + "lib/modules/6.1.0-test/" + name, string(content)})
		return err
	})
	modules = append(modules, entry{prefix + "lib/modules/6.1.0-test/build", "-> /usr/src/linux"}, entry{"./usr/share/doc/x", "text"})
	return []entry{{"./boot/vmlinuz-6.1.0-test", string(image)}, {"./boot/config-6.1.0-test", "CONFIG_X=y"}}, modules
}

func writeDeb(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "linux-image.deb")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestImportDebs(t *testing.T) {
	direct, err := Import(writeKernel(t), makeTree(t, nil), t.TempDir(), room.Reserve{})
	if err != nil {
		t.Fatal(err)
	}
	deb := func(kind string, entries []entry) string {
		return writeDeb(t, ar([2]string{"debian-binary", "2.0\n"}, [2]string{"control.tar.gz", "odd"}, [2]string{"data.tar." + kind, compressed(t, kind, tarOf(t, entries))}))
	}
	kernel, modules := entriesOf(t, "./")
	_, merged := entriesOf(t, "./usr/")
	for what, debs := range map[string][]string{
		"one package":         {deb("xz", append(kernel, modules...))},
		"modules apart":       {deb("gz", kernel), deb("xz", modules)},
		"modules below /usr":  {deb("gz", append(kernel, merged...))},
		"without compression": {writeDeb(t, ar([2]string{"data.tar", tarOf(t, append(kernel, modules...))}))},
	} {
		out := t.TempDir()
		result, err := ImportDebs(debs, out, room.Reserve{})
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if *result != *direct {
			t.Errorf("%s: %+v, not %+v", what, result, direct)
		}
		if entries, _ := os.ReadDir(out); len(entries) != 3 {
			t.Errorf("%s: %v", what, entries)
		}
	}
}

func TestImportDebsRefuses(t *testing.T) {
	kernel, modules := entriesOf(t, "./")
	whole := ar([2]string{"data.tar", tarOf(t, append(kernel, modules...))})
	for want, debs := range map[string][]string{
		"no Debian package":      {writeDeb(t, []byte("PK\x03\x04 something else"))},
		"it has no data archive": {writeDeb(t, ar([2]string{"debian-binary", "2.0\n"}))},
		"it is cut off":          {writeDeb(t, whole[:len(whole)/2])},
		"hold 0 files /lib/modu": {writeDeb(t, ar([2]string{"data.tar", tarOf(t, kernel)}))},
		"hold 0 files /boot/vml": {writeDeb(t, ar([2]string{"data.tar", tarOf(t, modules)}))},
		"no such file":           {"/nonexistent.deb"},
	} {
		out := t.TempDir()
		if _, err := ImportDebs(debs, out, room.Reserve{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if entries, _ := os.ReadDir(out); len(entries) != 0 {
			t.Errorf("%s: left %v", want, entries)
		}
	}
}
