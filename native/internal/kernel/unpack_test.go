package kernel

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"banger.dev/native/internal/room"
)

func archiveOf(t *testing.T, headers ...tar.Header) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			w.Write(bytes.Repeat([]byte("x"), int(h.Size)))
		}
	}
	w.Close()
	return &out
}

func file(name string, size int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o4777}
}

func TestUnpackTakesRegularFilesAlone(t *testing.T) {
	directory, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	os.WriteFile(secret, nil, 0o600)
	kept, err := Unpack(archiveOf(t,
		tar.Header{Typeflag: tar.TypeDir, Name: "boot/", Mode: 0o755},
		file("boot/vmlinuz-1", 5), file("boot/initrd", 5), file("./boot/vmlinuz-2", 3),
		tar.Header{Typeflag: tar.TypeFifo, Name: "boot/vmlinuz-fifo"},
		tar.Header{Typeflag: tar.TypeChar, Name: "boot/vmlinuz-device", Devmajor: 1, Devminor: 5},
		tar.Header{Typeflag: tar.TypeSymlink, Name: "boot/vmlinuz-link", Linkname: secret},
		tar.Header{Typeflag: tar.TypeLink, Name: "boot/vmlinuz-hard", Linkname: "boot/vmlinuz-1"},
	), "boot/vmlinuz-", directory, room.Reserve{})
	if err != nil || kept.Files != 2 {
		t.Fatalf("%v, %v", kept, err)
	}
	entries, err := os.ReadDir(filepath.Join(directory, "boot"))
	if err != nil || len(entries) != 2 || entries[0].Name() != "vmlinuz-1" || entries[1].Name() != "vmlinuz-2" {
		t.Fatalf("%v, %v", entries, err)
	}
	if info, _ := entries[0].Info(); info.Mode().Perm() != 0o644 || info.Mode()&os.ModeSetuid != 0 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestUnpackStaysInItsDirectory(t *testing.T) {
	outside := t.TempDir()
	for _, name := range []string{"../out", "/out", "a/../../out", filepath.Join(outside, "out")} {
		directory := filepath.Join(outside, "in")
		os.Mkdir(directory, 0o755)
		if _, err := Unpack(archiveOf(t, file(name, 1)), "", directory, room.Reserve{}); err == nil && name[0] != 'a' {
			t.Errorf("%s was taken", name)
		}
		if _, err := os.Stat(filepath.Join(outside, "out")); err == nil {
			t.Fatalf("%s lies outside", name)
		}
	}
}

func TestUnpackTakesNoLinkThatLiesThere(t *testing.T) {
	outside, directory := t.TempDir(), t.TempDir()
	os.Symlink(outside, filepath.Join(directory, "boot"))
	if _, err := Unpack(archiveOf(t, file("boot/a", 1)), "", directory, room.Reserve{}); err == nil {
		t.Error("wrote through a link")
	}
}

func TestUnpackIsBounded(t *testing.T) {
	if _, err := unpack(archiveOf(t, file("a", 1), file("b", 1), file("c", 1)), "", t.TempDir(), room.Reserve{}, 2, 100); err == nil || !strings.Contains(err.Error(), "entries") {
		t.Errorf("entries: %v", err)
	}
	if _, err := unpack(archiveOf(t, file("a", 60), file("b", 60)), "", t.TempDir(), room.Reserve{}, 9, 100); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("bytes: %v", err)
	}
	// Also what is passed over was sent, and read.
	if _, err := unpack(archiveOf(t, file("a", 60), file("b", 60)), "z", t.TempDir(), room.Reserve{}, 9, 100); err == nil {
		t.Error("what is not kept is not counted")
	}
	if _, err := unpack(archiveOf(t, file("a", 60)), "", t.TempDir(), room.Reserve{}, 9, 60); err != nil {
		t.Error(err)
	}
	full := (*room.Full)(nil)
	if _, err := Unpack(archiveOf(t, file("a", 60)), "", t.TempDir(), room.Reserve{Bytes: 1 << 62}); !errors.As(err, &full) {
		t.Errorf("the reserve: %v", err)
	}
}
