package oci

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Open finds the image in a file or directory of the user's: an OCI layout, what docker save wrote, or the archive of a file
// system. close ends the use of it.
func Open(source string, limits Limits) (img *image, close func() error, err error) {
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
		img, err := openLayout(dirFiles{root}, what, limits)
		if err != nil {
			return nil, nil, errors.Join(err, root.Close())
		}
		return img, root.Close, nil
	}
	f, err := os.Open(source)
	if err != nil {
		return nil, nil, fault(BadSource, "%v", err).mend("check its permissions")
	}
	img, err = openArchive(f, info.Size(), what, limits)
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

// archiveFiles are a tar's, by name: where they begin and how long they are.
type archiveFiles struct {
	f     *os.File
	files map[string]*io.SectionReader
}

func (a archiveFiles) open(name string) (io.ReadCloser, int64, error) {
	section, ok := a.files[path.Clean(name)]
	if !ok {
		return nil, 0, fmt.Errorf("it has no %s", name)
	}
	return io.NopCloser(io.NewSectionReader(section, 0, section.Size())), section.Size(), nil
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
	m, err := parseManifest(content, what)
	if err != nil {
		return nil, err
	}
	d := descriptor{}
	// An index may point to indexes: docker writes one for each image.
	for range 4 {
		if len(m.Manifests) == 1 {
			d = m.Manifests[0]
		} else if d, err = m.choose(what); err != nil {
			return nil, err
		}
		if content, err = readBlob(from, d.Digest, what, maxManifest); err != nil {
			return nil, err
		}
		if m, err = parseManifest(content, what); err != nil {
			return nil, err
		}
		if len(m.Manifests) == 0 {
			break
		}
	}
	config, err := readBlob(from, m.Config.Digest, what, maxConfig)
	if err != nil {
		return nil, err
	}
	return assemble(m, d.Digest, what, config, limits, func(d descriptor) func(context.Context) (io.ReadCloser, error) {
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

// openArchive looks what kind of archive it is. A compressed one can only be that of a file system.
func openArchive(f *os.File, size int64, what string, limits Limits) (*image, error) {
	head := make([]byte, 4096)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	whole := io.NewSectionReader(f, 0, size)
	if _, err := tar.NewReader(bytes.NewReader(head[:n])).Next(); err == nil {
		from, err := indexArchive(f)
		if err != nil {
			return nil, err
		}
		switch {
		case from.files["oci-layout"] != nil:
			return openLayout(from, what, limits)
		case from.files["manifest.json"] != nil:
			return openSaved(from, what, limits)
		}
	} else if r, _, err := decompress(bufio.NewReader(io.NewSectionReader(f, 0, size))); err != nil {
		return nil, fault(BadSource, "%v", damaged(err, nil))
	} else if header, err := tar.NewReader(r).Next(); err != nil {
		return nil, fault(BadSource, "%s is no archive that banger knows", what).
			mend("give an OCI layout, what docker save wrote, an archive of a file system (tar, also compressed), or an ext4")
	} else if name := path.Clean(header.Name); name == "blobs" || strings.HasPrefix(name, "blobs/") || name == "oci-layout" || name == "manifest.json" {
		return nil, fault(BadSource, "%s is the compressed archive of a container image", what).mend("decompress it first: gunzip, or zstd -d")
	}
	archive := &layer{size: size, plain: true, open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(f, 0, size)), nil
	}}
	sum := sha256.New()
	if _, err := io.Copy(sum, whole); err != nil {
		return nil, err
	}
	return &image{digest: fmt.Sprintf("sha256:%x", sum.Sum(nil)), config: &Config{Env: []string{}, Entrypoint: []string{}, Cmd: []string{}}, layers: []*layer{archive}}, nil
}

// indexArchive notes where an uncompressed tar's files lie. Those of a layout are few; of a file system the index is not kept.
func indexArchive(f *os.File) (archiveFiles, error) {
	a := archiveFiles{f, map[string]*io.SectionReader{}}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return a, err
	}
	archive := tar.NewReader(f)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			return a, fault(BadSource, "%v", damaged(err, nil))
		}
		name := path.Clean(header.Name)
		if header.Typeflag == tar.TypeReg && (name == "oci-layout" || filepath.Ext(name) == ".json" || filepath.Ext(name) == ".tar" || strings.HasPrefix(name, "blobs/")) {
			at, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				return a, err
			}
			a.files[name] = io.NewSectionReader(f, at, header.Size)
		}
	}
}

// openSaved reads what docker save wrote before it wrote layouts. Its layers have no digests but those of their content.
func openSaved(from archiveFiles, what string, limits Limits) (*image, error) {
	content, err := readSmall(from, "manifest.json", maxManifest)
	if err != nil {
		return nil, err
	}
	var images []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(content, &images); err != nil {
		return nil, fault(BadImage, "manifest.json of %s is no JSON: %v", what, err)
	}
	if len(images) != 1 {
		return nil, fault(BadSource, "%s holds %d images", what, len(images)).mend("save one image: docker save NAME -o FILE")
	}
	config, err := readSmall(from, images[0].Config, maxConfig)
	if err != nil {
		return nil, err
	}
	if len(images[0].Layers) == 0 || len(images[0].Layers) > limits.Layers {
		return nil, fault(BadImage, "%s has %d layers; 1 to %d are possible", what, len(images[0].Layers), limits.Layers)
	}
	parsed, diffIDs, err := parseConfig(config, what, len(images[0].Layers))
	if err != nil {
		return nil, err
	}
	img := &image{digest: digestOf(config), config: parsed}
	for at, name := range images[0].Layers {
		_, size, err := from.open(name)
		if err != nil {
			return nil, fault(BadSource, "%s: %v", what, err)
		}
		img.layers = append(img.layers, &layer{digest: diffIDs[at], size: size, diffID: diffIDs[at], open: func(context.Context) (io.ReadCloser, error) {
			r, _, err := from.open(name)
			return r, err
		}})
	}
	return img, nil
}
