package untar

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
)

// archive holds directories (names that end with a slash) and files; a file's content is its name.
func archive(t *testing.T, names ...string) *tar.Reader {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range names {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o4755, Size: int64(len(name))}
		if name[len(name)-1] == '/' {
			h.Typeflag, h.Size = tar.TypeDir, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			io.WriteString(w, name)
		}
	}
	w.Close()
	return tar.NewReader(&out)
}

func copyTo(t *testing.T, name string, names ...string) error {
	t.Helper()
	target, err := CopyTo(name, fs.ModePerm)
	if err != nil {
		return err
	}
	_, err = Into(target, archive(t, names...))
	return err
}

func content(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestACopyGoesWhereCpWouldPutIt(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(dir+"/here", 0o755)
	os.Symlink("here", dir+"/link")
	for _, c := range []struct{ to, at string }{
		{"/here", "/here/file"}, {"/here/", "/here/file"}, {"/link", "/here/file"}, {"/new", "/new"}, {"/here/new", "/here/new"}, {"/link/other", "/here/other"},
	} {
		if err := copyTo(t, dir+c.to, "file"); err != nil || content(dir+c.at) != "file" {
			t.Error(c.to, err, content(dir+c.at))
		}
		os.Remove(dir + c.at)
	}
	for _, c := range []struct{ to, at string }{{"/here", "/here/tree/file"}, {"/tree", "/tree/file"}, {"/tree", "/tree/tree/file"}} {
		if err := copyTo(t, dir+c.to, "tree/", "tree/file"); err != nil || content(dir+c.at) != "tree/file" {
			t.Error(c.to, err, content(dir+c.at))
		}
	}
	if info, err := os.Stat(dir + "/tree/file"); err != nil || info.Mode() != 0o755 {
		t.Error("a guest's setuid is kept:", info.Mode(), err)
	}
}

func TestACopyThatHasNoPlaceIsRefused(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(dir+"/file", []byte("mine"), 0o644)
	for to, want := range map[string]error{"/none/": fs.ErrNotExist, "/none/x": fs.ErrNotExist, "/file/": unix.ENOTDIR, "/file/x": unix.ENOTDIR} {
		if err := copyTo(t, dir+to, "x"); !errors.Is(err, want) {
			t.Error(to, err)
		}
	}
	if err := copyTo(t, dir+"/file", "tree/", "tree/x"); !errors.Is(err, unix.ENOTDIR) || content(dir+"/file") != "mine" {
		t.Error("a directory took a file's place:", err)
	}
	if err := copyTo(t, dir+"/one", "first", "second"); !errors.Is(err, ErrMember) {
		t.Error("two members for one name:", err)
	}
}

func TestAFileStaysUntilTheNewOneIsWhole(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(dir+"/file", []byte("mine"), 0o644)
	var cut bytes.Buffer
	w := tar.NewWriter(&cut)
	w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "file", Mode: 0o644, Size: 100})
	io.WriteString(w, "half")
	if _, err := Into(Target{Dir: dir, Modes: fs.ModePerm}, tar.NewReader(&cut)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	entries, _ := os.ReadDir(dir)
	if content(dir+"/file") != "mine" || len(entries) != 1 {
		t.Error(content(dir+"/file"), entries)
	}
	if _, err := Into(Target{Dir: dir, Modes: fs.ModePerm}, archive(t, "file")); err != nil || content(dir+"/file") != "file" {
		t.Error(err, content(dir+"/file"))
	}
}

func TestACopyKeepsTheReserve(t *testing.T) {
	dir := t.TempDir()
	target := Target{Dir: dir, Modes: fs.ModePerm, Reserve: room.Reserve{Bytes: 1 << 62}}
	var full *room.Full
	if _, err := Into(target, archive(t, "file")); !errors.As(err, &full) {
		t.Error(err)
	}
	if entries, _ := filepath.Glob(dir + "/*"); len(entries) != 0 {
		t.Error(entries)
	}
}
