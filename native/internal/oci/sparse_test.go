package oci

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sparseLayer is a file of some size with a few words in it, as tar -S writes it.
func sparseLayer(t *testing.T, size int64, words map[int64]string, options ...string) (file, layer string) {
	t.Helper()
	file, layer = filepath.Join(t.TempDir(), "big"), filepath.Join(t.TempDir(), "layer.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at, word := range words {
		f.WriteAt([]byte(word), at)
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("tar", append(options, "-S", "-C", filepath.Dir(file), "-cf", layer, "big")...).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	return file, layer
}

func debugfs(t *testing.T, image, command string) string {
	t.Helper()
	text, err := exec.Command("/sbin/debugfs", "-R", command, image).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSparseFilesKeepContentAndHoles(t *testing.T) {
	for _, options := range [][]string{{"--format=gnu"}, {"--format=posix", "--sparse-version=0.0"}, {"--format=posix", "--sparse-version=0.1"}, {"--format=posix", "--sparse-version=1.0"}} {
		file, layer := sparseLayer(t, 64<<20, map[int64]string{0: "begin", 10 << 20: "mid", 64<<20 - 3: "end"}, options...)
		out, _, err := convert(t, layer, DefaultLimits)
		if err != nil {
			t.Fatal(options, err)
		}
		dumped := filepath.Join(t.TempDir(), "dump")
		debugfs(t, out, "dump /big "+dumped)
		got, _ := os.ReadFile(dumped)
		want, _ := os.ReadFile(file)
		if !bytes.Equal(got, want) {
			t.Errorf("%v: %d bytes of %d, or others", options, len(got), len(want))
		}
		if stat := debugfs(t, out, "stat /big"); !strings.Contains(stat, "Blockcount: 24\n") {
			t.Errorf("%v: it has no holes:\n%s", options, stat)
		}
	}
}

func TestAFileOfMoreThan4GiB(t *testing.T) {
	_, layer := sparseLayer(t, 5<<30+3, map[int64]string{0: "begin", 5 << 30: "end"}, "--format=posix")
	out, _, err := convert(t, layer, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if stat := debugfs(t, out, "stat /big"); !strings.Contains(stat, "Size: 5368709123") {
		t.Error(stat)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// By the number of the block in the file: what its block on the disk begins with.
	for block, want := range map[int]string{0: "begin", 5 << 30 / 4096: "end"} {
		at := int64(0)
		fmt.Sscan(debugfs(t, out, fmt.Sprintf("bmap /big %d", block)), &at)
		got := make([]byte, len(want))
		if _, err := f.ReadAt(got, at*4096); err != nil || string(got) != want || at == 0 {
			t.Errorf("block %d, at %d: %q, %v", block, at, got, err)
		}
	}
	if hole := strings.TrimSpace(debugfs(t, out, "bmap /big 1000")); hole != "0" {
		t.Errorf("block 1000 lies at %s", hole)
	}
}

func TestASparseFileLargerThanTheLimit(t *testing.T) {
	_, layer := sparseLayer(t, 200<<30, map[int64]string{0: "x"}, "--format=posix")
	if _, _, err := convert(t, layer, DefaultLimits); AsFault(err).Kind != TooLarge || !strings.Contains(err.Error(), "the image's files are larger than 128 GiB together") {
		t.Error(err)
	}
}

func TestDevicesArriveAsTheyAre(t *testing.T) {
	out, _, err := convert(t, imageOf(t, headers(t,
		&tar.Header{Name: "null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}, &tar.Header{Name: "sda", Typeflag: tar.TypeBlock, Devmajor: 8},
		&tar.Header{Name: "big", Typeflag: tar.TypeBlock, Devmajor: 259, Devminor: 70000}, &tar.Header{Name: "pipe", Typeflag: tar.TypeFifo})).layout(t), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{"null": {"Type: character special", "01:03"}, "sda": {"Type: block special", "08:00"}, "big": {"259:70000"}, "pipe": {"Type: FIFO"}} {
		for _, want := range wants {
			if stat := debugfs(t, out, "stat /"+name); !strings.Contains(stat, want) {
				t.Errorf("%s: no %s in %s", name, want, stat)
			}
		}
	}
}

func TestAMillionEntriesAreTakenAndNoMore(t *testing.T) {
	for entries, refused := range map[int]bool{2: false, 3: true} {
		reader := &layerReader{limits: &budget{Limits: DefaultLimits, entries: 999_998}}
		link := headers(t, &tar.Header{Name: "a", Linkname: "b", Typeflag: tar.TypeLink})[:512]
		_, _, err := reader.read(bytes.NewReader(bytes.Repeat(link, entries)))
		if refused != (err != nil) || refused && (AsFault(err).Kind != TooLarge || !strings.Contains(err.Error(), "the image has more than 1000000 files")) {
			t.Errorf("%d: %v", entries, err)
		}
	}
}

// TestASizeOfWhatHasNone has a directory whose header claims a negative size, in base 256.
func TestASizeOfWhatHasNone(t *testing.T) {
	limits := DefaultLimits
	limits.Content = 1 << 20
	directory := headers(t, &tar.Header{Name: "d/", Typeflag: tar.TypeDir})[:512]
	copy(directory[124:136], bytes.Repeat([]byte{0xFF}, 12))
	copy(directory[133:136], []byte{0xC0, 0, 0}) // -4 MiB
	sum := 0
	for at, b := range directory {
		if at >= 148 && at < 156 {
			b = ' '
		}
		sum += int(b)
	}
	copy(directory[148:156], fmt.Sprintf("%06o\x00 ", sum))
	layer := append(directory, headers(t, &tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 2 << 20})...)
	if _, _, err := convert(t, imageOf(t, layer).layout(t), limits); AsFault(err).Kind != TooLarge {
		t.Error(err)
	}
}
