package bundle

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
)

func disk(t *testing.T, size int64, pieces map[int64]string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	f.Truncate(size)
	for at, text := range pieces {
		f.WriteAt([]byte(text), at)
	}
	return f
}

func unpackTo(t *testing.T, packed []byte) (*Manifest, string, error) {
	t.Helper()
	dir := t.TempDir()
	m, err := Unpack(bytes.NewReader(packed), dir, room.Reserve{}, func(int64, int64) {})
	return m, dir, err
}

func TestABundleHoldsWhatWasPacked(t *testing.T) {
	root := disk(t, 3<<30, map[int64]string{0: "first", 1 << 30: "middle", 3<<30 - 4: "last"})
	seed := disk(t, 1<<30+123, map[int64]string{70_000: "seed"})
	var out bytes.Buffer
	packed, err := Pack(&out, json.RawMessage(`{"name":"dev"}`), []string{"rootfs.ext4", "work-seed.ext4"}, []*os.File{root, seed}, func(int64, int64) {})
	if err != nil || packed.Bytes != int64(out.Len()) || packed.Bytes > 100_000 {
		t.Fatal(packed, err)
	}
	m, dir, err := unpackTo(t, out.Bytes())
	if err != nil || string(m.About) != `{"name":"dev"}` {
		t.Fatal(m, err)
	}
	for name, want := range map[string]*os.File{"0": root, "1": seed} {
		got, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		var stat unix.Stat_t
		if err := unix.Fstat(int(got.Fd()), &stat); err != nil || stat.Blocks*512 > 1<<20 {
			t.Errorf("%s takes %d KiB", name, stat.Blocks/2)
		}
		info, _ := want.Stat()
		if stat.Size != info.Size() {
			t.Errorf("%s has %d bytes, not %d", name, stat.Size, info.Size())
		}
		for at := int64(0); at < info.Size(); at += 512 << 20 {
			a, b := make([]byte, 100_000), make([]byte, 100_000)
			n, _ := want.ReadAt(a, at)
			got.ReadAt(b, at)
			if !bytes.Equal(a[:n], b[:n]) {
				t.Errorf("%s differs at %d", name, at)
			}
		}
	}
}

// packedBy writes a bundle by hand.
func packedBy(manifest string, content map[string]string) []byte {
	var out bytes.Buffer
	z, _ := zstd.NewWriter(&out)
	archive := tar.NewWriter(z)
	write := func(name, text string) {
		entry(archive, name, int64(len(text)))
		archive.Write([]byte(text))
	}
	write(manifestName, manifest)
	for name, text := range content {
		write(name, text)
	}
	archive.Close()
	z.Close()
	return out.Bytes()
}

func TestABundleOfAStranger(t *testing.T) {
	manifest := func(version int, arch, disks string) string {
		return fmt.Sprintf(`{"version":%d,"arch":%q,"about":{},"files":[%s]}`, version, arch, disks)
	}
	for want, packed := range map[string][]byte{
		"no bundle":             packedBy("", nil)[:10],
		"manifest is none":      packedBy("[", nil),
		"version 2":             packedBy(manifest(2, Arch, ""), nil),
		`for "arm64"`:           packedBy(manifest(1, "arm64", ""), nil),
		"names 0 files":         packedBy(manifest(1, Arch, ""), nil),
		`the name "../x"`:       packedBy(manifest(1, Arch, `{"name":"../x","bytes":1}`), nil),
		"or has it twice":       packedBy(manifest(1, Arch, `{"name":"x","bytes":1},{"name":"x","bytes":1}`), nil),
		"would have":            packedBy(manifest(1, Arch, `{"name":"rootfs.ext4","bytes":99999999999999999}`), nil),
		"overlap":               packedBy(manifest(1, Arch, `{"name":"rootfs.ext4","bytes":10,"extents":[[5,2],[1,2]]}`), nil),
		"beyond its end":        packedBy(manifest(1, Arch, `{"name":"rootfs.ext4","bytes":10,"extents":[[9223372036854775807,9]]}`), nil),
		"more than 128 GiB":     packedBy(manifest(1, Arch, `{"name":"rootfs.ext4","bytes":1099511627776,"extents":[[0,1099511627776]]}`), nil),
		"where rootfs.ext4 was": packedBy(manifest(1, Arch, `{"name":"rootfs.ext4","bytes":10}`), map[string]string{"elsewhere": "x"}),
		"ends early":            packedBy(manifest(1, Arch, `{"name":"rootfs.ext4","bytes":10,"extents":[[0,5]]}`), map[string]string{"rootfs.ext4": "abc"}),
		"is no bundle: ":        packedBy(manifest(1, Arch, `{"name":"rootfs.ext4","bytes":10,"extents":[[0,2]]}`), map[string]string{"rootfs.ext4": "more than it said"}),
	} {
		if _, _, err := unpackTo(t, packed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// bundleOf is one file with so many bytes of content, of which each mebibyte is `piece`.
func bundleOf(size int64, piece []byte) []byte {
	text := fmt.Sprintf(`{"version":1,"arch":%q,"about":{},"files":[{"name":"rootfs.ext4","bytes":%d,"extents":[[0,%d]]}]}`, Arch, size, size)
	var out bytes.Buffer
	z, _ := zstd.NewWriter(&out)
	archive := tar.NewWriter(z)
	entry(archive, manifestName, int64(len(text)))
	archive.Write([]byte(text))
	entry(archive, "rootfs.ext4", size)
	for at := int64(0); at < size; at += int64(len(piece)) {
		archive.Write(piece)
	}
	archive.Close()
	z.Close()
	return out.Bytes()
}

func TestABundleThatIsABombIsGivenUp(t *testing.T) {
	piece := bytes.Repeat([]byte("boom"), 1<<18)
	packed := bundleOf(2<<30, piece)
	_, dir, err := unpackTo(t, packed)
	if err == nil || !strings.Contains(err.Error(), "decompression bomb") {
		t.Error(err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(filepath.Join(dir, "0"), &stat); err != nil || stat.Blocks*512 > bomb+16<<20 {
		t.Errorf("a bundle of %d KiB took %d MiB, %v", len(packed)>>10, stat.Blocks>>11, err)
	}
}

func TestZerosOfABundleAreHolesAgain(t *testing.T) {
	packed := bundleOf(200<<20, make([]byte, 1<<20))
	_, dir, err := unpackTo(t, packed)
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(filepath.Join(dir, "0"), &stat); err != nil || stat.Size != 200<<20 || stat.Blocks != 0 {
		t.Errorf("it has %d bytes and takes %d KiB, %v", stat.Size, stat.Blocks/2, err)
	}
}

func TestABundleIsNotUnpackedIntoTheReserve(t *testing.T) {
	dir := t.TempDir()
	full := (*room.Full)(nil)
	if _, err := Unpack(bytes.NewReader(bundleOf(1<<20, make([]byte, 1<<20))), dir, room.Reserve{Bytes: 1 << 62}, func(int64, int64) {}); !errors.As(err, &full) || full.Wanted != 1<<20 {
		t.Errorf("%#v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}
