package store

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// source writes a file whose holes are holes, or zeros.
func source(t *testing.T, sparse bool, change func(*os.File)) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "source"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	r := rand.New(rand.NewPCG(3, 4))
	data := make([]byte, 200_000)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	if !sparse {
		f.Write(make([]byte, 40<<20))
	}
	f.WriteAt(data, 0)
	f.WriteAt(data, 20<<20+5000)
	f.WriteAt(data[:77], 40<<20-77)
	if change != nil {
		change(f)
	}
	return f
}

func TestCopyKeepsEveryByteAndNoZeros(t *testing.T) {
	var digests []string
	for _, sparse := range []bool{true, false} {
		from := source(t, sparse, nil)
		path := filepath.Join(t.TempDir(), "copy")
		copied, err := Copy(from, path, 0)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := os.ReadFile(from.Name())
		got, _ := os.ReadFile(path)
		if !bytes.Equal(got, want) || copied.Bytes != 40<<20 {
			t.Errorf("%d bytes of %d", len(got), len(want))
		}
		var stat unix.Stat_t
		if err := unix.Stat(path, &stat); err != nil || stat.Mode&0o777 != 0o444 || stat.Blocks*512 > 2<<20 {
			t.Errorf("mode %o, %d KiB", stat.Mode, stat.Blocks/2)
		}
		digests = append(digests, copied.Digest)
	}
	if digests[0] != digests[1] {
		t.Error("one content, two digests", digests)
	}
}

func TestOtherContentHasAnotherDigest(t *testing.T) {
	seen := map[string]string{}
	for what, change := range map[string]func(*os.File){
		"as it is":  nil,
		"one bit":   func(f *os.File) { f.WriteAt([]byte{0}, 100) },
		"elsewhere": func(f *os.File) { f.WriteAt([]byte{1}, 30<<20) },
		"longer":    func(f *os.File) { f.Truncate(41 << 20) },
		"shorter":   func(f *os.File) { f.Truncate(39 << 20) },
		"block moved": func(f *os.File) {
			b := make([]byte, block)
			f.ReadAt(b, 0)
			f.WriteAt(b, 10<<20)
			f.WriteAt(make([]byte, block), 0)
		},
		"all of zeros": func(f *os.File) { f.Truncate(0); f.Truncate(40 << 20) },
	} {
		copied, err := Copy(source(t, true, change), filepath.Join(t.TempDir(), "copy"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[copied.Digest]; ok {
			t.Errorf("%s is the same as %s", what, other)
		}
		seen[copied.Digest] = what
	}
}

func TestCopyTakesNoNameThatExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy")
	os.Symlink("/tmp/elsewhere", path)
	if _, err := Copy(source(t, true, nil), path, 0); err == nil {
		t.Error("wrote through a link")
	}
}
