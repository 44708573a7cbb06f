package kernel

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
)

// tree is a small /lib/modules/6.1.0-test: ext4 asks softly for crc32c, mmio is built in, suffixes vary.
var tree = map[string]string{
	"modules.builtin": "kernel/drivers/virtio/virtio_mmio.ko\nkernel/net/vmw_vsock/vsock.ko\n",
	"modules.dep": `kernel/virtio_blk.ko.xz:
kernel/net/virtio-net.ko.zst: kernel/net/net_failover.ko kernel/net/failover.ko
kernel/net/net_failover.ko: kernel/net/failover.ko
kernel/net/failover.ko:
kernel/vmw_vsock_virtio_transport.ko.gz:
kernel/ext4.ko: kernel/jbd2.ko
kernel/jbd2.ko:
kernel/crc32c-intel.ko:
kernel/crc32c_generic.ko:
kernel/unused.ko:
`,
	"modules.alias":   "alias crypto-crc32c crc32c_intel\nalias crc32c crc32c_generic\nalias other unused\n",
	"modules.softdep": "softdep ext4 pre: crc32c post: unused\n",
	"modules.order":   "",
}

func makeTree(t *testing.T, change map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "6.1.0-test")
	os.MkdirAll(dir+"/kernel/net", 0o755)
	for name, text := range tree {
		if changed, ok := change[name]; ok {
			text = changed
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if name != "modules.dep" {
			continue
		}
		for line := range strings.Lines(text) {
			file, _, _ := strings.Cut(line, ":")
			if err := os.WriteFile(filepath.Join(dir, file), module(t, file), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	os.Symlink("/usr/src/linux", dir+"/build")
	return dir
}

func module(t *testing.T, file string) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch filepath.Ext(file) {
	case ".xz":
		w, err = xz.NewWriter(&out)
	case ".gz":
		w = gzip.NewWriter(&out)
	case ".zst":
		w, err = zstd.NewWriter(&out)
	default:
		return []byte("\x7fELF" + moduleName(file))
	}
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "\x7fELF"+moduleName(file))
	w.Close()
	return out.Bytes()
}

type cpioEntry struct {
	name, content string
	mode          uint64
}

// readCpio reads one newc archive and checks that it ends where another may begin.
func readCpio(t *testing.T, archive []byte) (entries []cpioEntry) {
	t.Helper()
	field := func(at, i int) int {
		n, err := strconv.ParseUint(string(archive[at+6+8*i:at+14+8*i]), 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	for at := 0; ; {
		size, nameSize := field(at, 6), field(at, 11)
		name := string(archive[at+110 : at+110+nameSize-1])
		start := (at + 110 + nameSize + 3) &^ 3
		if name == "TRAILER!!!" {
			break
		}
		if uid, gid, mtime := field(at, 2), field(at, 3), field(at, 5); uid+gid+mtime != 0 {
			t.Errorf("%s: uid %d gid %d mtime %d", name, uid, gid, mtime)
		}
		entries = append(entries, cpioEntry{name, string(archive[start : start+size]), uint64(field(at, 1))})
		at = (start + size + 3) &^ 3
	}
	if len(archive)%archivePadding != 0 {
		t.Errorf("%d bytes are not a multiple of %d", len(archive), archivePadding)
	}
	return entries
}

func writeKernel(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vmlinuz")
	if err := os.WriteFile(file, bzImage(packed(t)["zstd"]), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestImport(t *testing.T) {
	image, modules := writeKernel(t), makeTree(t, nil)
	out, again := t.TempDir(), t.TempDir()
	result, err := Import(image, modules, out, room.Reserve{})
	if err != nil {
		t.Fatal(err)
	}
	if repeated, err := Import(image, modules, again, room.Reserve{}); err != nil || *repeated != *result {
		t.Errorf("not the same twice: %+v %+v %v", result, repeated, err)
	}
	if entries, _ := os.ReadDir(out); len(entries) != 3 || result.Release != "6.1.0-test" {
		t.Errorf("%+v %v", result, entries)
	}
	content, err := os.ReadFile(out + "/modules.cpio")
	if err != nil {
		t.Fatal(err)
	}
	order := []string{"virtio_blk", "failover", "net_failover", "virtio_net", "vmw_vsock_virtio_transport", "jbd2", "crc32c_generic", "crc32c_intel", "ext4"}
	want := []string{"banger", "banger/modules", "banger/modules/order"}
	for _, name := range order {
		want = append(want, "banger/modules/"+name+".ko")
	}
	var got []string
	for _, e := range readCpio(t, content) {
		got = append(got, e.name)
		name := moduleName(e.name)
		if strings.HasSuffix(e.name, ".ko") && e.content != "\x7fELF"+name {
			t.Errorf("%s: %q", e.name, e.content)
		}
		if name == "order" && e.content != strings.Join(order, ".ko\n")+".ko\n" {
			t.Errorf("order: %q", e.content)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	ext4, err := os.ReadFile(out + "/modules.ext4")
	if err != nil || len(ext4) < 4096 || ext4[1024+56] != 0x53 || ext4[1024+57] != 0xEF {
		t.Errorf("no ext4 superblock: %d bytes, %v", len(ext4), err)
	}
}

func TestImportRefusesAndLeavesNothing(t *testing.T) {
	without := func(driver string) map[string]string {
		return map[string]string{"modules.dep": strings.Replace(tree["modules.dep"], driver, "kernel/gone", 1)}
	}
	other := makeTree(t, nil)
	os.Rename(other, filepath.Dir(other)+"/5.10.0")
	for want, modules := range map[string]string{
		"CONFIG_VIRTIO_BLK":        makeTree(t, without("kernel/virtio_blk")),
		"CONFIG_VIRTIO_VSOCKETS":   makeTree(t, without("kernel/vmw_vsock_virtio_transport")),
		"needs jbd2":               makeTree(t, without("kernel/jbd2.ko:")),
		"the modules are for 5.10": filepath.Dir(other) + "/5.10.0",
		"not a module tree":        t.TempDir(),
	} {
		out := t.TempDir()
		if _, err := Import(writeKernel(t), modules, out, room.Reserve{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
		if entries, _ := os.ReadDir(out); len(entries) != 0 {
			t.Errorf("%s: left %v", want, entries)
		}
	}
	full := t.TempDir()
	os.WriteFile(full+"/x", nil, 0o644)
	if _, err := Import(writeKernel(t), makeTree(t, nil), full, room.Reserve{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Error(err)
	}
}

func TestPackGuest(t *testing.T) {
	dir := t.TempDir()
	program := dir + "/program"
	os.WriteFile(program, testELF(), 0o755)
	if _, err := PackGuest(program, dir+"/guest.cpio", room.Reserve{}); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(dir + "/guest.cpio")
	var got []string
	for _, e := range readCpio(t, content) {
		got = append(got, fmt.Sprintf("%s %o", e.name, e.mode))
	}
	if want := []string{"dev 40755", "newroot 40755", "proc 40755", "sys 40755", "dev/console 20600", "init 100755"}; !slices.Equal(got, want) {
		t.Error(got)
	}
	os.WriteFile(program, []byte("#!/bin/sh"), 0o755)
	if _, err := PackGuest(program, dir+"/other.cpio", room.Reserve{}); err == nil {
		t.Error("packed a script")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left %v", entries)
	}
}

// TestImportReadsFilesOnly has a FIFO wherever a hostile image could put one.
func TestImportReadsFilesOnly(t *testing.T) {
	for _, what := range []string{"vmlinuz", "modules.builtin", "modules.dep", "modules.alias", "kernel/ext4.ko", "kernel/beside.ko"} {
		image, modules := writeKernel(t), makeTree(t, nil)
		path := filepath.Join(modules, what)
		if what == "vmlinuz" {
			path = image
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if what == "kernel/beside.ko" {
			// depmod would look into it.
			if err := os.Remove(filepath.Join(modules, "modules.dep")); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := Import(image, modules, t.TempDir(), room.Reserve{})
			ended <- err
		}()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s is a FIFO: it was taken", what)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s is a FIFO: it is waited for", what)
		}
	}
}

func TestImportKeepsTheReserve(t *testing.T) {
	out := t.TempDir()
	full := (*room.Full)(nil)
	if _, err := Import(writeKernel(t), makeTree(t, nil), out, room.Reserve{Bytes: 1 << 62}); !errors.As(err, &full) {
		t.Error(err)
	}
	if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}
