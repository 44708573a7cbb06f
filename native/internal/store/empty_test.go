package store

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
)

// tool runs one of e2fsprogs, which are not in everybody's PATH.
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

func TestAnEmptyFileSystemTakesNoRoom(t *testing.T) {
	const mib = 1 << 20
	for size, most := range map[int64]int64{
		64 * mib:       1 * mib,
		100 * mib:      1 * mib,
		129 * mib:      1 * mib,
		1000 * mib:     1 * mib,
		8192 * mib:     2 * mib,
		32<<30 + 5*mib: 4 * mib,
		256 << 30:      12 * mib,
		1<<40 + 1*mib:  48 * mib,
	} {
		path := filepath.Join(t.TempDir(), "empty.ext4")
		if err := Empty(path, size, room.Reserve{}); err != nil {
			t.Errorf("%d MiB: %v", size>>20, err)
			continue
		}
		var stat unix.Stat_t
		if err := unix.Stat(path, &stat); err != nil || stat.Size != size || stat.Blocks*512 > most {
			t.Errorf("%d MiB: it has %d bytes and takes %d KiB, %v", size>>20, stat.Size, stat.Blocks/2, err)
		}
		// It reads all tables, those of a terabyte for half a minute.
		if size < 1<<40 {
			tool(t, "e2fsck", "-fn", path)
		}
		head := tool(t, "dumpe2fs", "-h", path)
		for _, want := range []string{"Reserved block count:     0", "Inode count:"} {
			if !strings.Contains(head, want) {
				t.Errorf("%d MiB: no %q in %s", size>>20, want, head)
			}
		}
		// Uninitialised groups would be written by each guest in its own time.
		if features := line(head, "Filesystem features:"); strings.Contains(features, "uninit_bg") || strings.Contains(features, "metadata_csum") {
			t.Errorf("%d MiB: %s", size>>20, features)
		}
		if blocks, _ := strconv.ParseInt(strings.Fields(line(head, "Block count:"))[2], 10, 64); size <= odd && blocks*4096 != size {
			t.Errorf("%d MiB: a file system of %d blocks", size>>20, blocks)
		}
	}
}

func TestAnEmptyFileSystemIsTheSameEachTime(t *testing.T) {
	var made [2]Copied
	for at := range made {
		path := filepath.Join(t.TempDir(), "empty.ext4")
		if err := Empty(path, 512<<20, room.Reserve{}); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if made[at], err = Copy(f, path+".copy", 0, room.Reserve{}); err != nil {
			t.Fatal(err)
		}
	}
	if made[0] != made[1] {
		t.Error(made)
	}
}

func TestAnEmptyFileSystemOfNoSizeIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.ext4")
	for _, size := range []int64{-1, 0, 4096} {
		if err := Empty(path, size, room.Reserve{}); err == nil {
			t.Errorf("%d bytes", size)
		}
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Empty(path, 64<<20, room.Reserve{}); err == nil {
		t.Error("it wrote over a file")
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "mine" {
		t.Errorf("a file that was there is %q, %v", content, err)
	}
}

func line(text, beginning string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, beginning) {
			return line
		}
	}
	return ""
}
