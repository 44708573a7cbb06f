package kernel

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"banger.dev/native/internal/regular"
	"banger.dev/native/internal/room"
)

const (
	arMagic = "!<arch>\n"
	// arHeader is the length of a member's header: name 16, mtime 12, uid 6, gid 6, mode 8, size 10, end 2.
	arHeader = 60
	// maxDeb bounds what the kernel and its modules in a package may unpack to: Debian's largest have 400 MiB.
	maxDeb = 4 << 30
	// maxEntries bounds its files; Ubuntu's kernels have 7,000.
	maxEntries = 200_000
	// maxWindow is what zstd -22 uses, and the kernel's build with it.
	maxWindow = 128 << 20
)

// ImportDebs is Import for distribution packages: one with both kernel and modules, or, as in Ubuntu, one of each.
func ImportDebs(debs []string, out string, reserve room.Reserve) (*Imported, error) {
	return inScratch(out, func(scratch string) (*Imported, error) {
		tree := filepath.Join(scratch, "packages")
		if err := os.Mkdir(tree, 0o755); err != nil {
			return nil, err
		}
		for _, deb := range debs {
			if err := unpackDeb(deb, tree, reserve); err != nil {
				return nil, fmt.Errorf("%s: %w", deb, err)
			}
		}
		image, err := only(tree, "boot/vmlinuz-*", "kernel")
		if err != nil {
			return nil, err
		}
		modules, err := only(tree, "lib/modules/*", "module tree")
		if err != nil {
			return nil, err
		}
		return convert(image, modules, scratch, out, reserve)
	})
}

// only finds the one file that a pattern may match in what the packages held.
func only(tree, pattern, what string) (string, error) {
	found, err := filepath.Glob(filepath.Join(tree, pattern))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("the packages hold %d files /%s, not one %s: give those of one kernel", len(found), pattern, what)
	}
	return found[0], nil
}

// unpackDeb puts a package's kernel and modules below dir. The paths in it are its maker's: os.Root keeps them inside.
func unpackDeb(deb, dir string, reserve room.Reserve) error {
	f, _, err := regular.Open(deb)
	if err != nil {
		return err
	}
	defer f.Close()
	member, suffix, err := debData(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return err
	}
	data, err := unpacked(member, suffix)
	if err != nil {
		return fmt.Errorf("its data archive: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	entries := tar.NewReader(io.LimitReader(data, maxDeb))
	for count := 0; ; count++ {
		header, err := entries.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("its data archive: %w", err)
		}
		if count == maxEntries {
			return fmt.Errorf("its data archive has more than %d files", maxEntries)
		}
		if err := unpackEntry(root, header, entries, reserve); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
	// An archive that was cut between two of its entries looks complete to its reader.
	if _, err := io.Copy(io.Discard, member); err != nil {
		return err
	}
	if member.N > 0 {
		return errors.New("it is cut off: its data archive should be longer")
	}
	return nil
}

// unpackEntry keeps what lies in /boot and /lib/modules; merged /usr or not is one to us.
func unpackEntry(root *os.Root, header *tar.Header, content io.Reader, reserve room.Reserve) error {
	name := strings.TrimPrefix(path.Clean("/"+header.Name), "/")
	name = strings.TrimPrefix(name, "usr/")
	if !strings.HasPrefix(name, "boot/vmlinuz-") && !strings.HasPrefix(name, "lib/modules/") {
		return nil
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeReg:
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		_, err = io.Copy(reserve.Keep(f), content)
		return errors.Join(err, f.Close())
	default:
		// Links to the kernel's build directory, which no guest has.
		return nil
	}
}

// debData finds the member data.tar of a package, an ar archive, and tells by which suffix it is compressed.
func debData(r *bufio.Reader) (*io.LimitedReader, string, error) {
	magic := make([]byte, len(arMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != arMagic {
		return nil, "", errors.New("it is no Debian package")
	}
	for {
		header := make([]byte, arHeader)
		if _, err := io.ReadFull(r, header); err != nil {
			return nil, "", errors.New("it is cut off: it has no data archive")
		}
		name := strings.TrimRight(strings.TrimSpace(string(header[:16])), "/")
		size, err := strconv.ParseInt(strings.TrimSpace(string(header[48:58])), 10, 64)
		if err != nil || size < 0 {
			return nil, "", fmt.Errorf("its member %q has no size", name)
		}
		if strings.HasPrefix(name, "data.tar") {
			return &io.LimitedReader{R: r, N: size}, path.Ext(name), nil
		}
		// Members begin at even offsets.
		if _, err := io.CopyN(io.Discard, r, size+size%2); err != nil {
			return nil, "", errors.New("it is cut off: it has no data archive")
		}
	}
}

// unpacked reads what dpkg and depmod compress with, told by the suffix; any other suffix is not compressed.
func unpacked(r io.Reader, suffix string) (io.Reader, error) {
	switch suffix {
	case ".gz":
		return gzip.NewReader(r)
	case ".xz":
		return xz.NewReader(r, xz.DefaultDictMax)
	case ".zst":
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	}
	return r, nil
}
