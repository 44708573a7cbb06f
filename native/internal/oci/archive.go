package oci

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// archiveFiles are a tar's, by name: where they begin and how long they are. Links of both kinds name others.
type archiveFiles struct {
	files map[string]*io.SectionReader
	links map[string]string
}

func (a archiveFiles) open(name string) (io.ReadCloser, int64, error) {
	at := path.Clean(name)
	for range maxFollowed {
		if section, ok := a.files[at]; ok {
			return io.NopCloser(io.NewSectionReader(section, 0, section.Size())), section.Size(), nil
		}
		target, ok := a.links[at]
		if !ok {
			break
		}
		at = target
	}
	return nil, 0, fmt.Errorf("it has no %s", name)
}

// saves are what archives of container images begin with: docker save, by its age, with directories of layers or with blobs, podman
// save with layers.
var saves = regexp.MustCompile(`^(blobs|oci-layout|index\.json|manifest\.json|repositories|[0-9a-f]{64}(\.tar|\.json)?)(/|$)`)

// unpackImage unpacks the compressed archive of a container image, whose parts are read in another order. Nothing comes of any other file.
func unpackImage(f *os.File, scratch string, limits Limits, reading *meter) (*os.File, error) {
	counted := &counter{r: &metered{f, reading}}
	r, closeUnpacked, err := decompress(bufio.NewReaderSize(counted, 1<<16))
	if err != nil {
		return nil, fault(BadSource, "%v", damaged(err, nil))
	}
	defer closeUnpacked()
	guarded := bufio.NewReaderSize(&bombGuard{r: r, packed: counted, limits: limits}, 1<<16)
	head, err := guarded.Peek(4096)
	if err != nil && err != io.EOF {
		return nil, fault(BadSource, "%v", damaged(err, counted.err))
	}
	plain := make([]byte, len(head))
	if n, err := f.ReadAt(plain, 0); err == nil && bytes.Equal(head, plain[:n]) {
		return nil, nil
	}
	first, err := tar.NewReader(bytes.NewReader(head)).Next()
	if err != nil || !saves.MatchString(path.Clean(first.Name)) {
		return nil, nil
	}
	spooled, err := nameless(scratch)
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(limits.Reserve.Keep(spooled), io.LimitReader(guarded, limits.Content+1))
	if err == nil && n > limits.Content {
		err = fault(TooLarge, "it unpacks to more than %d GiB", limits.Content>>30)
	}
	if err != nil {
		return nil, errors.Join(damaged(err, counted.err), spooled.Close())
	}
	return spooled, nil
}

// openArchive looks what kind of archive it is. A compressed one is that of a file system here.
func openArchive(f *os.File, size int64, what string, limits Limits, reading *meter) (*image, error) {
	head := make([]byte, 4096)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if _, err := tar.NewReader(bytes.NewReader(head[:n])).Next(); err == nil {
		from, err := indexArchive(f, limits)
		if err != nil {
			return nil, err
		}
		switch {
		case from.files["oci-layout"] != nil:
			return openLayout(from, what, limits)
		case from.files["manifest.json"] != nil:
			return openSaved(from, what, limits)
		case from.files["repositories"] != nil:
			return openOld(from, what, limits)
		}
	} else if r, _, err := decompress(bufio.NewReader(io.NewSectionReader(f, 0, size))); err != nil {
		return nil, fault(BadSource, "%v", damaged(err, nil))
	} else if _, err := tar.NewReader(r).Next(); err != nil {
		return nil, fault(BadSource, "%s is no archive that banger knows", what).
			mend("give an OCI layout, what docker save wrote, an archive of a file system (tar, also compressed), or an ext4")
	}
	archive := &layer{size: size, plain: true, open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(f, 0, size)), nil
	}}
	sum := sha256.New()
	if _, err := io.Copy(sum, &metered{io.NewSectionReader(f, 0, size), reading}); err != nil {
		return nil, err
	}
	return &image{digest: fmt.Sprintf("sha256:%x", sum.Sum(nil)), config: &Config{Env: []string{}, Entrypoint: []string{}, Cmd: []string{}}, layers: []*layer{archive}}, nil
}

// ofImage tells of the names that an archive of a container image has; those of a file system are not kept.
func ofImage(name string) bool {
	switch filepath.Ext(name) {
	case ".json", ".tar":
		return true
	}
	return name == "oci-layout" || name == "repositories" || strings.HasPrefix(name, "blobs/") || path.Base(name) == "json"
}

// indexArchive notes where an uncompressed tar's files lie, and what its links name.
func indexArchive(f *os.File, limits Limits) (archiveFiles, error) {
	a := archiveFiles{map[string]*io.SectionReader{}, map[string]string{}}
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
		if !ofImage(name) {
			continue
		}
		if len(a.files)+len(a.links) > limits.Entries {
			return a, fault(TooLarge, "it has more than %d files", limits.Entries)
		}
		switch header.Typeflag {
		case tar.TypeReg:
			at, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				return a, err
			}
			a.files[name] = io.NewSectionReader(f, at, header.Size)
		case tar.TypeLink:
			a.links[name] = path.Clean(header.Linkname)
		case tar.TypeSymlink:
			// From where it lies; nothing outside the archive is ever looked at.
			a.links[name] = strings.TrimPrefix(path.Join("/", path.Dir(name), header.Linkname), "/")
		}
	}
}
