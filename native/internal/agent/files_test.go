package agent

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"banger.dev/native/internal/untar"
)

var past = time.Unix(1600000000, 0)

func member(kind byte, name, content string) tar.Header {
	return tar.Header{Typeflag: kind, Name: name, Linkname: content, Mode: 0o644, ModTime: past}
}

// archive takes the content of regular files from Linkname.
func archive(t testing.TB, members ...tar.Header) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range members {
		content := ""
		if h.Typeflag == tar.TypeReg {
			content, h.Linkname = h.Linkname, ""
			h.Size = int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

func TestFilesGoInAndOut(t *testing.T) {
	g := newGuest(t)
	dir := filepath.Join(t.TempDir(), "made", "tree")
	suid := member(tar.TypeReg, "sub/tool", "#!")
	suid.Mode = 0o4755
	closed := member(tar.TypeDir, "sub/", "")
	closed.Mode = 0o2750
	in := archive(t,
		tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "a commit"}},
		closed, suid, member(tar.TypeReg, "./deep/er/file", "text"),
		member(tar.TypeSymlink, "link", "/etc/passwd"), member(tar.TypeLink, "hard", "sub/tool"))
	if status, body := g.do("PUT", "/v1/files?path="+dir, in); status != 200 || string(body) != "{\"files\":4,\"bytes\":6}\n" {
		t.Fatal(status, string(body))
	}
	if info, err := os.Stat(dir + "/sub/tool"); err != nil || info.Mode() != 0o755|fs.ModeSetuid || !info.ModTime().Equal(past) {
		t.Error(info, err)
	}
	if info, err := os.Stat(dir + "/sub"); err != nil || info.Mode() != 0o750|fs.ModeDir|fs.ModeSetgid || !info.ModTime().Equal(past) {
		t.Error(info, err)
	}

	status, body := g.do("GET", "/v1/files?path="+dir, nil)
	if status != 200 {
		t.Fatal(status, string(body))
	}
	var got []string
	for r := tar.NewReader(bytes.NewReader(body)); ; {
		h, err := r.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			break
		}
		content, _ := io.ReadAll(r)
		got = append(got, strings.TrimSpace(strings.Join([]string{h.Name, string(h.Typeflag), h.Linkname, string(content)}, " ")))
	}
	want := []string{"tree/ 5", "tree/deep/ 5", "tree/deep/er/ 5", "tree/deep/er/file 0  text", "tree/hard 0  #!", "tree/link 2 /etc/passwd", "tree/sub/ 5", "tree/sub/tool 1 tree/hard"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestUploadReplaces(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	os.WriteFile(outside, []byte("mine"), 0o644)
	os.Symlink(outside, dir+"/file")
	os.Symlink("/etc", dir+"/dir")
	if _, err := untar.Into(untar.Target{Dir: dir, Modes: untar.AllModes}, tar.NewReader(archive(t, member(tar.TypeReg, "file", "new"), member(tar.TypeDir, "dir/", ""), member(tar.TypeReg, "dir/x", "x")))); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(outside); string(text) != "mine" {
		t.Errorf("followed the link: %q", text)
	}
	if text, _ := os.ReadFile(dir + "/dir/x"); string(text) != "x" {
		t.Error("the directory did not take the link's place")
	}
}

func TestACopyTakesTheNameThatIsAsked(t *testing.T) {
	g := newGuest(t)
	dir := t.TempDir()
	tree := func() *bytes.Buffer {
		return archive(t, member(tar.TypeDir, "tree/", ""), member(tar.TypeReg, "tree/file", "x"), member(tar.TypeLink, "tree/hard", "tree/file"))
	}
	for _, at := range []string{"/as", "/as/tree"} {
		if status, body := g.do("PUT", "/v1/copy?path="+dir+"/as", tree()); status != 200 || string(body) != `{"files":2,"bytes":1}`+"\n" {
			t.Error(at, status, string(body))
		}
		if text, err := os.ReadFile(dir + at + "/hard"); err != nil || string(text) != "x" {
			t.Error(at, string(text), err)
		}
	}
	for name, path := range map[string]string{"relative": "as", "no parent": dir + "/none/as", "a file's place": dir + "/as/file"} {
		if status, body := g.do("PUT", "/v1/copy?path="+path, io.MultiReader(tree(), io.LimitReader(zeros{}, 8<<20))); status < 400 || !strings.Contains(string(body), "error") {
			t.Error(name, status, string(body))
		}
	}
}

func TestNothingLeavesTheDirectory(t *testing.T) {
	g := newGuest(t)
	for name, members := range map[string][]tar.Header{
		"parent":                   {member(tar.TypeReg, "../bad", "x")},
		"parent inside":            {member(tar.TypeReg, "a/../../bad", "x")},
		"parent that stays inside": {member(tar.TypeReg, "a/../bad", "x")},
		"absolute":                 {member(tar.TypeReg, "/bad", "x")},
		"through a link":           {member(tar.TypeSymlink, "bad", ".."), member(tar.TypeReg, "bad/x", "x")},
		"through a link inside":    {member(tar.TypeDir, "d/", ""), member(tar.TypeSymlink, "bad", "d"), member(tar.TypeReg, "bad/x", "x")},
		"directory through a link": {member(tar.TypeSymlink, "bad", "/tmp"), member(tar.TypeDir, "bad/x/", "")},
		"planted before":           {member(tar.TypeReg, "planted-bad/x", "x")},
		"hard link out":            {member(tar.TypeLink, "bad", "../../etc/passwd")},
		"hard link absolute":       {member(tar.TypeLink, "bad", "/etc/passwd")},
		"hard link through a link": {member(tar.TypeLink, "bad", "planted-bad/passwd")},
		"hard link to a link":      {member(tar.TypeLink, "bad", "planted-bad")},
		"device":                   {member(tar.TypeChar, "bad", "")},
		"pipe":                     {member(tar.TypeFifo, "bad", "")},
		"file in the root's place": {member(tar.TypeReg, ".", "bad")},
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			dir := filepath.Join(base, "target")
			os.Mkdir(dir, 0o755)
			os.Symlink("/etc", dir+"/planted-bad")
			status, body := g.do("PUT", "/v1/files?path="+dir, archive(t, members...))
			if status != 400 || !strings.Contains(string(body), `"error":"\"`+members[len(members)-1].Name) {
				t.Errorf("%d %s", status, body)
			}
			if entries, _ := os.ReadDir(base); len(entries) != 1 {
				t.Errorf("left the directory: %v", entries)
			}
		})
	}
}

func TestRefusalIsReadDespiteALongUpload(t *testing.T) {
	body := io.MultiReader(archive(t, member(tar.TypeReg, "../bad", "x")), io.LimitReader(zeros{}, 64<<20))
	if status, text := newGuest(t).do("PUT", "/v1/files?path="+t.TempDir(), body); status != 400 {
		t.Error(status, string(text))
	}
}

func TestDamagedArchive(t *testing.T) {
	whole := archive(t, member(tar.TypeReg, "file", strings.Repeat("x", 5000))).Bytes()
	for name, in := range map[string][]byte{"cut short": whole[:2000], "not an archive": bytes.Repeat([]byte("z"), 2048)} {
		if status, text := newGuest(t).do("PUT", "/v1/files?path="+t.TempDir(), bytes.NewReader(in)); status != 400 {
			t.Error(name, status, string(text))
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func FuzzUnpack(f *testing.F) {
	f.Add(archive(f, member(tar.TypeSymlink, "a", ".."), member(tar.TypeReg, "a/b", "x")).Bytes())
	f.Add(archive(f, member(tar.TypeLink, "a", "../b"), member(tar.TypeReg, "a/../../b", "x")).Bytes())
	f.Add(archive(f, member(tar.TypeDir, "d/", ""), member(tar.TypeReg, "d/f", "x"), member(tar.TypeLink, "h", "d/f")).Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		base := t.TempDir()
		untar.Into(untar.Target{Dir: filepath.Join(base, "target"), Modes: untar.AllModes}, tar.NewReader(bytes.NewReader(in)))
		if entries, _ := os.ReadDir(base); len(entries) > 1 {
			t.Errorf("left the directory: %v", entries)
		}
	})
}
