// Package kernel turns a distribution's kernel into the files that banger boots.
package kernel

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxVmlinux bounds what a compressed kernel may claim to unpack to, in bytes.
const maxVmlinux = 1 << 30

// Offsets of the x86 boot protocol (Documentation/arch/x86/boot.rst), from the start of the file.
const (
	setupSectsAt    = 0x1F1
	bootFlagAt      = 0x1FE
	magicAt         = 0x202
	protocolAt      = 0x206
	payloadOffsetAt = 0x248
	payloadLengthAt = 0x24C
	headerEnd       = 0x250

	// The first protocol whose header tells where the payload is: Linux 2.6.26.
	payloadProtocol = 0x0208
)

// Vmlinux returns the ELF in a bzImage, or the image itself when it is one, and the release it says it is.
func Vmlinux(image []byte) (elf []byte, release string, err error) {
	if bytes.HasPrefix(image, []byte("\x7fELF")) {
		elf = image
	} else if elf, err = unpackBzImage(image); err != nil {
		return nil, "", err
	}
	if err := checkELF(elf); err != nil {
		return nil, "", err
	}
	release, err = releaseOf(elf)
	return elf, release, err
}

func unpackBzImage(image []byte) ([]byte, error) {
	// arm64's Image has this at 0x38; its boot protocol is another.
	if len(image) > 0x40 && string(image[0x38:0x3C]) == "ARM\x64" {
		return nil, errors.New("this is an arm64 kernel; banger runs x86-64")
	}
	if len(image) < headerEnd || string(image[magicAt:magicAt+4]) != "HdrS" || binary.LittleEndian.Uint16(image[bootFlagAt:]) != 0xAA55 {
		return nil, errors.New("not a Linux kernel: neither a bzImage nor an ELF")
	}
	if p := binary.LittleEndian.Uint16(image[protocolAt:]); p < payloadProtocol {
		return nil, fmt.Errorf("boot protocol %#x: too old, %#x is needed (Linux 2.6.26)", p, payloadProtocol)
	}
	sectors := int(image[setupSectsAt])
	if sectors == 0 {
		sectors = 4
	}
	start := (sectors+1)*512 + int(binary.LittleEndian.Uint32(image[payloadOffsetAt:]))
	end := start + int(binary.LittleEndian.Uint32(image[payloadLengthAt:]))
	if start+8 > end || end > len(image) {
		return nil, fmt.Errorf("truncated: the kernel proper is at %d to %d of a file of %d bytes", start, end, len(image))
	}
	return decompress(image[start:end])
}

// decompress knows every format of the kernel's build. All but gzip, which has it anyway, are followed by the
// uncompressed size in four bytes.
func decompress(payload []byte) ([]byte, error) {
	body := payload[:len(payload)-4]
	size := int(binary.LittleEndian.Uint32(payload[len(body):]))
	if size > maxVmlinux {
		return nil, fmt.Errorf("the kernel claims to unpack to %d bytes; at most %d are taken", size, maxVmlinux)
	}
	for _, f := range []struct {
		name, magic string
		open        func(io.Reader) (io.Reader, error)
	}{
		{"gzip", "\x1f\x8b\x08", func(io.Reader) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(payload)) }},
		{"bzip2", "BZh", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
		// Kernels use xz's x86 filter, which not every decoder has.
		{"xz", "\xfd7zXZ\x00", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, xz.DefaultDictMax) }},
		{"lzma", "\x5d\x00\x00", openLZMA},
		{"zstd", "\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		}},
		{"lz4", lz4Legacy, func(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil }},
	} {
		if !bytes.HasPrefix(body, []byte(f.magic)) {
			continue
		}
		out := make([]byte, size)
		r, err := f.open(bytes.NewReader(body))
		if err == nil {
			_, err = io.ReadFull(r, out)
		}
		if err != nil {
			return nil, fmt.Errorf("damaged: cannot unpack the kernel (%s): %w", f.name, err)
		}
		if more, _ := r.Read(make([]byte, 1)); more > 0 {
			return nil, fmt.Errorf("damaged: the kernel (%s) unpacks to more than the %d bytes that it claims", f.name, size)
		}
		return out, nil
	}
	return nil, fmt.Errorf("the kernel is compressed in a way that is not known (first bytes %x)", body[:min(6, len(body))])
}

// lz4Legacy begins the frame format of the kernel's build.
const lz4Legacy = "\x02\x21\x4c\x18"

// openLZMA refuses a dictionary that the header alone would have us allocate; lzma -9 uses half of this.
func openLZMA(r io.Reader) (io.Reader, error) {
	head := make([]byte, lzma.HeaderLen)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	if dictionary := binary.LittleEndian.Uint32(head[1:]); dictionary > maxWindow {
		return nil, fmt.Errorf("a dictionary of %d MiB", dictionary>>20)
	}
	return lzma.NewReader(io.MultiReader(bytes.NewReader(head), r))
}

func checkELF(image []byte) error {
	const headerSize, class64, machineX86 = 64, 2, 62
	if len(image) < headerSize || !bytes.HasPrefix(image, []byte("\x7fELF")) {
		return errors.New("what the bzImage holds is not an ELF")
	}
	machine := binary.LittleEndian.Uint16(image[18:])
	if image[4] != class64 || machine != machineX86 {
		return fmt.Errorf("an ELF for machine %d, class %d; banger runs x86-64", machine, image[4])
	}
	return nil
}

// releaseOf reads the banner that every kernel prints first.
func releaseOf(elf []byte) (string, error) {
	banner := []byte("Linux version ")
	for rest := elf; ; {
		i := bytes.Index(rest, banner)
		if i < 0 {
			return "", errors.New("an ELF, but not a Linux kernel: it has no version banner")
		}
		rest = rest[i+len(banner):]
		// The format string "%s" of the same beginning is passed over.
		if end := bytes.IndexByte(rest[:min(len(rest), 128)], ' '); end > 0 && rest[0] >= '0' && rest[0] <= '9' {
			return string(rest[:end]), nil
		}
	}
}
