package room

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// leaving is a reserve that leaves so many bytes of what is free now.
func leaving(t *testing.T, directory string, bytes int64) Reserve {
	t.Helper()
	var fs unix.Statfs_t
	if err := unix.Statfs(directory, &fs); err != nil {
		t.Fatal(err)
	}
	return Reserve{Bytes: int64(fs.Bavail)*fs.Bsize - bytes}
}

func TestTheReserveIsAskedForBeforeAnythingIsWritten(t *testing.T) {
	dir := t.TempDir()
	reserve := leaving(t, dir, 1<<30)
	if err := reserve.In(dir, 100<<20); err != nil {
		t.Errorf("100 MiB of 1 GiB: %v", err)
	}
	full := (*Full)(nil)
	err := reserve.In(dir, 2<<30)
	if !errors.As(err, &full) || full.Wanted != 2<<30 || full.Reserve != reserve.Bytes || full.Free-full.Wanted >= full.Reserve {
		t.Errorf("2 GiB of 1 GiB: %#v", err)
	}
	if err == nil || !strings.Contains(err.Error(), "2048 MiB are wanted") {
		t.Errorf("it says: %v", err)
	}
	if err := (Reserve{}).In(dir, 1<<60); err != nil {
		t.Errorf("no reserve: %v", err)
	}
}

func TestAFileIsNotWrittenIntoTheReserve(t *testing.T) {
	for what, write := range map[string]func(f *File, b []byte) (int, error){
		"Write":   func(f *File, b []byte) (int, error) { return f.Write(b) },
		"WriteAt": func(f *File, b []byte) (int, error) { return f.WriteAt(b, 1<<20) },
		"io.Copy": func(f *File, b []byte) (int, error) {
			n, err := io.Copy(f, bytes.NewReader(b))
			return int(n), err
		},
	} {
		dir := t.TempDir()
		plain, err := os.Create(filepath.Join(dir, "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		roomy, full := leaving(t, dir, 1<<30).Keep(plain), leaving(t, dir, -1<<30).Keep(plain)
		if n, err := write(roomy, make([]byte, 5000)); n != 5000 || err != nil {
			t.Errorf("%s with room: %d, %v", what, n, err)
		}
		var refused *Full
		if n, err := write(full, make([]byte, 5000)); n != 0 || !errors.As(err, &refused) {
			t.Errorf("%s without room: %d, %v", what, n, err)
		}
	}
}

func TestTheDiskIsLookedAtAgain(t *testing.T) {
	dir := t.TempDir()
	plain, err := os.Create(filepath.Join(dir, "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	f := leaving(t, dir, 1<<30).Keep(plain)
	if _, err := f.Write(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	// The disk has filled up meanwhile.
	f.reserve = leaving(t, dir, -1<<30)
	written, piece := 0, make([]byte, 1<<20)
	for ; written < 2*Step; written += len(piece) {
		if _, err := f.Write(piece); err != nil {
			break
		}
	}
	if written >= Step {
		t.Errorf("%d bytes were written before anybody looked", written)
	}
}

func TestAnotherFileSystemMayBeFilled(t *testing.T) {
	dir := t.TempDir()
	for of, kept := range map[string]bool{"": true, dir: true, "/proc": false, filepath.Join(dir, "gone"): false} {
		if err := (Reserve{Bytes: 1 << 62, Of: of}).In(dir, 0); (err != nil) != kept {
			t.Errorf("%s beside %q: %v", dir, of, err)
		}
	}
}

func TestPartsOfAPoolShareTheirRoom(t *testing.T) {
	const btrfs, zfs, xfs = 0x9123683e, 0x2fc12fc1, 0x58465342
	for _, c := range []struct {
		kind, otherKind int64
		dev, otherDev   uint64
		same            bool
	}{{btrfs, btrfs, 1, 2, true}, {zfs, zfs, 1, 2, true}, {zfs, btrfs, 1, 1, false}, {xfs, xfs, 1, 1, true}, {xfs, xfs, 1, 2, false}} {
		if same := identity(c.kind, c.dev) == identity(c.otherKind, c.otherDev); same != c.same {
			t.Errorf("%+v: %v", c, same)
		}
	}
}
