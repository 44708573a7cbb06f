package kernel

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

func testELF() []byte {
	elf := make([]byte, 64)
	copy(elf, "\x7fELF\x02")
	elf[18] = 62
	return append(elf, "Linux version %s\x00Linux version 6.1.0-test (x@y) #1\x00"...)
}

// bzImage wraps a compressed kernel the way the kernel's build does.
func bzImage(payload []byte) []byte {
	const setup, protected = 2 * 512, 100
	image := make([]byte, setup+protected)
	image[setupSectsAt] = 1
	binary.LittleEndian.PutUint16(image[bootFlagAt:], 0xAA55)
	copy(image[magicAt:], "HdrS")
	binary.LittleEndian.PutUint16(image[protocolAt:], 0x020F)
	binary.LittleEndian.PutUint32(image[payloadOffsetAt:], protected)
	binary.LittleEndian.PutUint32(image[payloadLengthAt:], uint32(len(payload)))
	return append(append(image, payload...), "what follows the payload"...)
}

func sized(packed []byte) []byte {
	return binary.LittleEndian.AppendUint32(packed, uint32(len(testELF())))
}

func packWith(t *testing.T, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	if err == nil {
		_, err = w.Write(testELF())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func packed(t *testing.T) map[string][]byte {
	var block [256]byte
	n, err := lz4.CompressBlock(testELF(), block[:], nil)
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	lz4Frame := append(binary.LittleEndian.AppendUint32([]byte(lz4Legacy), uint32(n)), block[:n]...)
	bz2, _ := hex.DecodeString("425a6839314159265359122f19990000215d8050204a636101430402219f60a000544426000980993d06a6a03269a3d4c27a4da214320c48799be95250f65f68ba5232dcdd844ef9c03d44428501456e0c8e643d010fc65d177245385090122f1999")
	return map[string][]byte{
		"gzip":  packWith(t, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"zstd":  sized(packWith(t, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })),
		"xz":    sized(packWith(t, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })),
		"lzma":  sized(packWith(t, func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) })),
		"lz4":   sized(lz4Frame),
		"bzip2": sized(bz2),
	}
}

func TestVmlinux(t *testing.T) {
	for name, payload := range packed(t) {
		elf, release, err := Vmlinux(bzImage(payload))
		if err != nil || release != "6.1.0-test" || !bytes.Equal(elf, testELF()) {
			t.Errorf("%s: %q %v", name, release, err)
		}
	}
	if _, release, err := Vmlinux(testELF()); err != nil || release != "6.1.0-test" {
		t.Error("plain ELF:", release, err)
	}
}

func TestVmlinuxRefuses(t *testing.T) {
	good := packed(t)["gzip"]
	arm := make([]byte, 0x400)
	copy(arm[0x38:], "ARM\x64")
	armELF := testELF()
	armELF[18] = 183
	lying := bytes.Clone(packed(t)["zstd"])
	binary.LittleEndian.PutUint32(lying[len(lying)-4:], maxVmlinux+1)
	old := bzImage(good)
	binary.LittleEndian.PutUint16(old[protocolAt:], 0x0204)
	for want, image := range map[string][]byte{
		"arm64 kernel":      arm,
		"not a Linux":       []byte("#!/bin/sh\n"),
		"neither":           make([]byte, 4096),
		"truncated":         bzImage(good)[:1150],
		"damaged":           bzImage(append(bytes.Clone(good[:40]), good[44:]...)),
		"not known":         bzImage(append([]byte("something else"), 8, 0, 0, 0)),
		"claims":            bzImage(lying),
		"too old":           old,
		"machine 183":       armELF,
		"no version banner": testELF()[:64],
	} {
		if _, _, err := Vmlinux(image); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// lz4Blocks is so many full blocks of the legacy frame, which claim to unpack to `size` bytes.
func lz4Blocks(t *testing.T, blocks int, size int) []byte {
	t.Helper()
	const blockSize = 8 << 20
	block := make([]byte, lz4.CompressBlockBound(blockSize))
	n, err := lz4.CompressBlock(make([]byte, blockSize), block, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload := []byte(lz4Legacy)
	for range blocks {
		payload = append(binary.LittleEndian.AppendUint32(payload, uint32(n)), block[:n]...)
	}
	return binary.LittleEndian.AppendUint32(payload, uint32(size))
}

func TestAKernelOfSeveralLZ4Blocks(t *testing.T) {
	if out, err := decompress(lz4Blocks(t, 5, 40<<20)); err != nil || len(out) != 40<<20 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func TestAKernelThatClaimsLessThanItIsTakesNoMemory(t *testing.T) {
	payload := lz4Blocks(t, 256, 4096)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := decompress(payload)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than the 4096 bytes") {
		t.Error(err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("a payload of %d KiB took %d MiB", len(payload)>>10, took>>20)
	}
}

func TestADictionaryIsNotAllocatedBecauseAHeaderSaysSo(t *testing.T) {
	payload := packed(t)["lzma"]
	// A multiple of 0x10000 that is above maxWindow: the beginning that lzma is recognised by stays.
	binary.LittleEndian.PutUint32(payload[1:], 3<<30)
	if _, err := decompress(payload); err == nil || !strings.Contains(err.Error(), "dictionary of 3072 MiB") {
		t.Error(err)
	}
}
