package store

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"banger.dev/native/internal/room"
)

// cowOf writes a COW file as the kernel does: exceptions in the order in which chunks were first written.
func cowOf(t *testing.T, chunk int64, writes map[int64][]byte, order []int64, valid uint32) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "cow"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	f.Truncate(64 << 20)
	head := make([]byte, 16)
	for i, value := range []uint32{snapMagic, valid, 1, uint32(chunk / sector)} {
		binary.LittleEndian.PutUint32(head[4*i:], value)
	}
	f.WriteAt(head, 0)
	perArea := chunk / exceptionSize
	for i, old := range order {
		area, index := int64(i)/perArea, int64(i)%perArea
		tableAt := 1 + area*(perArea+1)
		now := tableAt + 1 + index
		exception := make([]byte, exceptionSize)
		binary.LittleEndian.PutUint64(exception, uint64(old))
		binary.LittleEndian.PutUint64(exception[8:], uint64(now))
		f.WriteAt(exception, tableAt*chunk+index*exceptionSize)
		f.WriteAt(writes[old], now*chunk)
	}
	return f
}

// TestMergeIsWhatTheSnapshotReads checks tables that end within an area, at its end and beyond several.
func TestMergeIsWhatTheSnapshotReads(t *testing.T) {
	const chunk = 4096
	r := rand.New(rand.NewPCG(5, 6))
	for _, count := range []int{0, 1, 255, 256, 257, 900} {
		origin := source(t, true, func(f *os.File) { f.Truncate(40<<20 + 1000) })
		want, _ := os.ReadFile(origin.Name())
		writes := map[int64][]byte{}
		var order []int64
		next := int64(0)
		for len(order) < count {
			// Runs, and jumps between them; the last chunk of the origin is a part of one.
			if next++; r.IntN(8) == 0 {
				next = r.Int64N(40<<20/chunk + 1)
			}
			if next > 40<<20/chunk || writes[next] != nil {
				continue
			}
			data := bytes.Repeat([]byte{byte(r.Uint32())}, chunk)
			writes[next] = data
			order = append(order, next)
			copy(want[next*chunk:], data)
		}
		path := filepath.Join(t.TempDir(), "merged")
		merged, err := Merge(origin, cowOf(t, chunk, writes, order, 1), path, room.Reserve{})
		if err != nil {
			t.Fatal(count, err)
		}
		got, _ := os.ReadFile(path)
		if !bytes.Equal(got, want) {
			t.Errorf("%d exceptions: another content", count)
		}
		plain, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		copied, err := Copy(plain, filepath.Join(t.TempDir(), "copy"), 0, room.Reserve{})
		if err != nil || copied != merged {
			t.Errorf("%d exceptions: %v is not the file's own %v (%v)", count, merged, copied, err)
		}
		plain.Close()
	}
}

func TestMergeRefusesWhatIsNoWholeSnapshot(t *testing.T) {
	for what, cow := range map[string]func(*testing.T) *os.File{
		"declared the snapshot invalid": func(t *testing.T) *os.File { return cowOf(t, 4096, nil, nil, 0) },
		"none of a dm-snapshot":         func(t *testing.T) *os.File { return source(t, true, nil) },
		"beyond its origin": func(t *testing.T) *os.File {
			return cowOf(t, 4096, map[int64][]byte{1 << 40: make([]byte, 4096)}, []int64{1 << 40}, 1)
		},
	} {
		path := filepath.Join(t.TempDir(), "merged")
		if _, err := Merge(source(t, true, nil), cow(t), path, room.Reserve{}); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestCopyGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "copy")
	copied, err := Copy(source(t, true, nil), path, 1<<30, room.Reserve{})
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || copied.Bytes != 1<<30 || info.Size() != 1<<30 {
		t.Error(copied, err, statErr)
	}
	if same, err := Copy(source(t, true, nil), filepath.Join(t.TempDir(), "copy"), 1<<20, room.Reserve{}); err != nil || same.Bytes != 40<<20 {
		t.Error("a smaller size cut it:", same, err)
	}
}
