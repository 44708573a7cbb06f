package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/regular"
)

// Open finds the image in a file or directory of the user's: an OCI layout, what docker or podman save wrote, or the archive of a file
// system. A compressed archive that is read in parts is unpacked into the scratch directory first; what is read whole here is told as
// the phase "read". close ends the use of it.
func Open(source, scratch string, limits Limits, progress Progress) (img *image, close func() error, err error) {
	// Whoever asks says which file it is: it may have been given us under another name.
	const what = "it"
	info, err := os.Stat(source)
	if err != nil {
		return nil, nil, fault(BadSource, "%v", err).mend("check the path")
	}
	if info.IsDir() {
		root, err := os.OpenRoot(source)
		if err != nil {
			return nil, nil, err
		}
		img, err := openDirectory(dirFiles{root}, what, limits)
		if err != nil {
			return nil, nil, errors.Join(err, root.Close())
		}
		return img, root.Close, nil
	}
	f, info, err := regular.Open(source)
	if err != nil {
		return nil, nil, fault(BadSource, "%v", err).mend("check what it is, and its permissions")
	}
	reading := func() *meter { return &meter{phase: "read", progress: progress, total: info.Size()} }
	spooled, err := unpackImage(f, scratch, limits, reading())
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	if spooled != nil {
		f.Close()
		if f = spooled; err == nil {
			info, err = f.Stat()
		}
	}
	if err == nil {
		img, err = openArchive(f, info.Size(), what, limits, reading())
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return img, f.Close, nil
}

// files are those of a layout: in a directory, or in an archive.
type files interface {
	open(name string) (io.ReadCloser, int64, error)
}

type dirFiles struct{ root *os.Root }

func (d dirFiles) open(name string) (io.ReadCloser, int64, error) {
	// A FIFO would block.
	f, err := d.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func readSmall(from files, name string, limit int64) ([]byte, error) {
	r, size, err := from.open(name)
	if err != nil {
		return nil, fault(BadSource, "%v", err)
	}
	defer r.Close()
	if size > limit {
		return nil, fault(TooLarge, "%s has %d bytes", name, size)
	}
	content := make([]byte, size)
	_, err = io.ReadFull(r, content)
	return content, err
}

// openDirectory takes an OCI layout, the directory that podman save --format docker-dir writes, and what docker save wrote, unpacked.
func openDirectory(from dirFiles, what string, limits Limits) (*image, error) {
	content, err := readSmall(from, "manifest.json", maxManifest)
	if _, none := readSmall(from, "oci-layout", 4096); err != nil || none == nil {
		return openLayout(from, what, limits)
	}
	if strings.HasPrefix(strings.TrimSpace(string(content)), "[") {
		return openSaved(from, what, limits)
	}
	return openManifest(besides{from}, content, what, limits)
}

// besides are the blobs of a docker-dir: named by their digests alone, in the directory itself.
type besides struct{ files }

func (b besides) open(name string) (io.ReadCloser, int64, error) {
	return b.files.open(path.Base(name))
}

func blobName(digest string) string { return "blobs/sha256/" + strings.TrimPrefix(digest, "sha256:") }

// readBlob reads a small blob and checks that it is what it is named.
func readBlob(from files, digest, what string, limit int64) ([]byte, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	content, err := readSmall(from, blobName(digest), limit)
	if err == nil && digestOf(content) != digest {
		err = fault(WrongDigest, "%s in %s is %s", digest, what, digestOf(content))
	}
	return content, err
}

func openLayout(from files, what string, limits Limits) (*image, error) {
	if _, err := readSmall(from, "oci-layout", 4096); err != nil {
		return nil, fault(BadSource, "%s is no OCI layout: it has no file oci-layout", what).
			mend("give a layout, what docker save wrote, an archive of a file system, or an ext4")
	}
	content, err := readSmall(from, "index.json", maxManifest)
	if err != nil {
		return nil, err
	}
	return openManifest(from, content, what, limits)
}

// openManifest reads the image of a manifest or index whose blobs lie beside it.
func openManifest(from files, content []byte, what string, limits Limits) (*image, error) {
	m, digest, err := follow(content, what, func(digest string) ([]byte, error) { return readBlob(from, digest, what, maxManifest) })
	if err != nil {
		return nil, err
	}
	config, err := readBlob(from, m.Config.Digest, what, maxConfig)
	if err != nil {
		return nil, err
	}
	return assemble(m, digest, what, config, limits, func(d descriptor) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) {
			r, size, err := from.open(blobName(d.Digest))
			if err != nil {
				return nil, fault(BadSource, "%v", err)
			}
			if size != d.Size {
				return nil, errors.Join(fault(BadLayer, "it has %d bytes, not %d: it is cut off or damaged", size, d.Size), r.Close())
			}
			return verify(r, d.Digest), nil
		}
	})
}
