package store

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
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
		copied, err := Copy(from, path, 0, room.Reserve{})
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
		copied, err := Copy(source(t, true, change), filepath.Join(t.TempDir(), "copy"), 0, room.Reserve{})
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
	if _, err := Copy(source(t, true, nil), path, 0, room.Reserve{}); err == nil {
		t.Error("wrote through a link")
	}
}

func TestAFileMadeLongerIsOneThatWasSoLong(t *testing.T) {
	// Neither ends with a block of the digest's.
	const short, long = 40<<20 + 1234, 41<<20 + 4096
	grown := source(t, true, func(f *os.File) { f.WriteAt([]byte("end"), short-3) })
	direct := source(t, true, func(f *os.File) { f.WriteAt([]byte("end"), short-3); f.Truncate(long) })
	longer, err := Copy(grown, filepath.Join(t.TempDir(), "copy"), long, room.Reserve{})
	if err != nil {
		t.Fatal(err)
	}
	same, err := Copy(direct, filepath.Join(t.TempDir(), "copy"), 0, room.Reserve{})
	if err != nil {
		t.Fatal(err)
	}
	if longer != same {
		t.Errorf("made longer: %v, so long from the start: %v", longer, same)
	}
}

func TestNothingIsCopiedIntoTheReserve(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy")
	from := source(t, true, nil)
	for what, act := range map[string]func() error{
		"copy": func() error { _, err := Copy(from, path, 0, room.Reserve{Bytes: 1 << 62}); return err },
		"merge": func() error {
			_, err := Merge(from, cowOf(t, 4096, nil, nil, 1), path, room.Reserve{Bytes: 1 << 62})
			return err
		},
		"empty": func() error { return Empty(path, 64<<20, room.Reserve{Bytes: 1 << 62}) },
	} {
		full := (*room.Full)(nil)
		if err := act(); !errors.As(err, &full) {
			// A file system that can share blocks needs no room for a copy.
			if what == "copy" && err == nil && sharesBlocks(t) {
				continue
			}
			t.Errorf("%s: %v", what, err)
		}
		var stat unix.Stat_t
		if err := unix.Stat(path, &stat); err == nil && stat.Blocks > 0 {
			t.Errorf("%s wrote %d KiB", what, stat.Blocks/2)
		}
		os.Remove(path)
	}
}

func sharesBlocks(t *testing.T) bool {
	target, err := os.Create(filepath.Join(t.TempDir(), "target"))
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	return clone(target, source(t, true, nil))
}
