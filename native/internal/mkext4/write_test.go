package mkext4

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var then = time.Date(2021, 3, 4, 5, 6, 7, 123456789, time.UTC)

func file(content string) *Node {
	return &Node{Mode: TypeRegular | 0o644, Mtime: then, Size: int64(len(content)), Content: strings.NewReader(content)}
}

func noise(size int) string {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(r.Uint32()) | 1
	}
	return string(b)
}

// tree has one of everything, and content in more pieces than an inode holds.
func tree() *Node {
	root := Dir(0o755, then)
	etc := Dir(0o750, then)
	etc.UID, etc.GID = 100_000, 3_000_000_000
	root.Children["etc"] = etc
	etc.Children["passwd"] = file("root:x:0:0\n")
	etc.Children["empty"] = file("")
	setuid := file(noise(10_000))
	setuid.Mode = TypeRegular | 0o4755
	setuid.Xattrs = map[string]string{"security.capability": "\x01\x00\x00\x02\x00\x20\x00\x00" + strings.Repeat("\x00", 12), "user.note": strings.Repeat("n", 1000), "user.b": "2"}
	etc.Children["setuid"] = setuid
	etc.Children["again"] = setuid
	holes := strings.Repeat("\x00", 3<<20) + "end"
	etc.Children["sparse"] = file(holes)
	pieces := make([]byte, 6000*blockSize)
	for at := 0; at < len(pieces); at += 2 * blockSize {
		pieces[at] = 1
	}
	etc.Children["pieces"] = file(string(pieces[:2*1300*blockSize]))
	// More than the inode can point to leaves for: a tree of two levels.
	etc.Children["many-pieces"] = file(string(pieces))
	etc.Children["large"] = file(noise(5 << 20))
	etc.Children["short"] = &Node{Mode: TypeSymlink | 0o777, Link: "passwd", Mtime: then}
	etc.Children["long"] = &Node{Mode: TypeSymlink | 0o777, Link: "/" + strings.Repeat("x/", 100), Mtime: then}
	etc.Children["null"] = &Node{Mode: TypeChar | 0o666, Major: 1, Minor: 3, Mtime: then}
	etc.Children["disk"] = &Node{Mode: TypeBlock | 0o660, Major: 259, Minor: 70_000, Mtime: then}
	etc.Children["fifo"] = &Node{Mode: TypeFifo | 0o600, Mtime: then}
	etc.Children["\xff\xfe not utf-8"] = file("x")
	acl := file("y")
	acl.Xattrs = map[string]string{"system.posix_acl_access": "\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x04\x00\xe8\x03\x00\x00\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x04\x00\xff\xff\xff\xff\x20\x00\x00\x00\xff\xff\xff\xff"}
	etc.Children["acl"] = acl
	many := Dir(0o755, then)
	for n := range 3000 {
		many.Children[fmt.Sprintf("file-with-a-rather-long-name-%05d", n)] = file("")
	}
	root.Children["many"] = many
	return root
}

func write(t *testing.T, root *Node, size int64) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fs.ext4")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Write(f, root, Options{Size: size, UUID: [16]byte{1, 2, 3}, Time: then}); err != nil {
		t.Fatal(err)
	}
	return name
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/sbin/" + name
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// e2fsck -n changes nothing, and fails when there is something to change.
func check(t *testing.T, file string) { t.Helper(); tool(t, "e2fsck", "-fn", file) }

func TestWriteIsAnExt4ThatE2fsckAccepts(t *testing.T) {
	for _, size := range []int64{0, 1 << 30, 8 << 30, 40 << 30} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			name := write(t, tree(), size)
			check(t, name)
			info, err := os.Stat(name)
			if err != nil || info.Size() < size || info.Size()%groupSize != 0 {
				t.Errorf("%d bytes for %d, %v", info.Size(), size, err)
			}
			about := tool(t, "dumpe2fs", "-h", name)
			if !strings.Contains(about, "has_journal") || !strings.Contains(about, "clean") {
				t.Error(about)
			}
		})
	}
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	name := write(t, tree(), 1<<30)
	debugfs := func(command string) string { return tool(t, "debugfs", "-R", command, name) }
	for path, wants := range map[string][]string{
		"/etc":        {"Type: directory    Mode:  0750", "User: 100000   Group: -1294967296", "mtime: 0x60406abf:1d6f3454"},
		"/etc/setuid": {"Mode:  04755", "Links: 2", "security.capability (20)", "user.b (1) = \"2\"", "user.note (1000)"},
		"/etc/sparse": {"Size: 3145731", "Blockcount: 8"},
		"/etc/short":  {"Type: symlink", "Fast link dest: \"passwd\""},
		"/etc/long":   {"Type: symlink", "Size: 201"},
		"/etc/null":   {"Type: character special", "01:03"},
		"/etc/disk":   {"Type: block special", "259:70000"},
		"/etc/fifo":   {"Type: FIFO"},
		"/etc/acl":    {"system.posix_acl_access"},
		"/":           {"Links: 5"},
		"/lost+found": {"Type: directory    Mode:  0700"},
	} {
		said := debugfs("stat " + path)
		for _, want := range wants {
			if !strings.Contains(said, want) {
				t.Errorf("%s: no %q in\n%s", path, want, said)
			}
		}
	}
	for path, n := range tree().Children["etc"].Children {
		if n.Type() != TypeRegular || strings.HasPrefix(path, "\xff") {
			continue
		}
		out := filepath.Join(t.TempDir(), "dump")
		debugfs("dump /etc/" + path + " " + out)
		got, err := os.ReadFile(out)
		want := make([]byte, n.Size)
		n.Content.ReadAt(want, 0)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, not %d, %v", path, len(got), len(want), err)
		}
	}
	if listed := debugfs("ls -p /many"); strings.Count(listed, "file-with-a-rather-long-name-") != 3000 {
		t.Error("not all of 3000 files are listed")
	}
}

// dense has no block of zeros: each has its number, again and again.
type dense struct{}

func (dense) ReadAt(b []byte, at int64) (int, error) {
	for i := range b {
		if p := at + int64(i); p%8 == 7 {
			b[i] = 1
		} else {
			b[i] = byte(p / blockSize >> (8 * (p % 8)))
		}
	}
	return len(b), nil
}

// An extent has at most 128 MiB.
func TestAFileLongerThanAnExtent(t *testing.T) {
	root := Dir(0o755, then)
	root.Children["dense"] = &Node{Mode: TypeRegular | 0o644, Mtime: then, Size: 300 << 20, Content: dense{}}
	name := write(t, root, 1<<30)
	check(t, name)
	out := filepath.Join(t.TempDir(), "dump")
	tool(t, "debugfs", "-R", "dump /dense "+out, name)
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, want := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); at < 300<<20; at += 1 << 20 {
		if _, err := f.ReadAt(got, at); err != nil {
			t.Fatal(err)
		}
		dense{}.ReadAt(want, at)
		if !bytes.Equal(got, want) {
			t.Fatalf("the content differs within the mebibyte at %d", at)
		}
	}
}

func TestTheSameTreeGivesTheSameBytes(t *testing.T) {
	sum := func(name string) [32]byte {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(content)
	}
	if sum(write(t, tree(), 0)) != sum(write(t, tree(), 0)) {
		t.Error("two writings differ")
	}
}

func TestManyFilesGetEnoughInodes(t *testing.T) {
	root := Dir(0o755, then)
	for d := range 40 {
		dir := Dir(0o755, then)
		for n := range 1000 {
			dir.Children[fmt.Sprint(n)] = file("")
		}
		root.Children[fmt.Sprint(d)] = dir
	}
	check(t, write(t, root, 128<<20))
}

func TestContentDecidesTheLeastSize(t *testing.T) {
	root := Dir(0o755, then)
	root.Children["big"] = &Node{Mode: TypeRegular | 0o600, Size: 300 << 20, Content: strings.NewReader(noise(1<<20) + strings.Repeat("\x00", 299<<20))}
	name := write(t, root, 0)
	check(t, name)
	if info, _ := os.Stat(name); info.Size() < 300<<20 {
		t.Error(info.Size())
	}
}

func TestRoomIsAskedBeforeAnythingIsWritten(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "fs"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root, full := Dir(0o755, then), errors.New("full")
	root.Children["noise"] = file(noise(3 << 20))
	var asked int64
	err = Write(f, root, Options{Size: 64 << 20, Time: then, Room: func(atMost int64) error {
		asked = atMost
		return full
	}})
	info, _ := f.Stat()
	if !errors.Is(err, full) || asked < 3<<20 || info.Size() != 0 {
		t.Error(err, asked, info.Size())
	}
}

func TestWriteRefuses(t *testing.T) {
	odd := func(name string, n *Node) *Node {
		root := Dir(0o755, then)
		root.Children[name] = n
		return root
	}
	twice := Dir(0o755, then)
	two := odd("a", twice)
	two.Children["b"] = twice
	attribute := func(name string, size int) *Node {
		n := file("")
		n.Xattrs = map[string]string{name: strings.Repeat("v", size)}
		return odd("x", n)
	}
	for want, root := range map[string]*Node{
		"/a: a link to a name of 5000":  odd("a", &Node{Mode: TypeSymlink, Link: strings.Repeat("x", 5000)}),
		"names no type of file":         odd("a", &Node{Mode: 0o644}),
		"a name of 300 bytes":           odd(strings.Repeat("n", 300), file("")),
		"has one name only":             two,
		"all attributes of a file fit":  attribute("user.big", 5000),
		"takes an attribute of that na": attribute("strange", 1),
		"read its content":              odd("cut", &Node{Mode: TypeRegular, Size: 10, Content: strings.NewReader("four")}),
	} {
		f, err := os.Create(filepath.Join(t.TempDir(), "fs"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(f, root, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		f.Close()
	}
}
