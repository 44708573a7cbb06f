// Package bundle packs an image of banger's into one file, and takes it apart again: a tar archive compressed with zstd, which holds
// manifest.json and after it the content of each disk without its holes.
package bundle

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"banger.dev/native/internal/store"
)

const (
	manifestName = "manifest.json"
	version      = 1
	// Arch is what all of it is for.
	Arch = "amd64"
	// maxManifest has room for the extents of a disk of a terabyte in pieces of a mebibyte.
	maxManifest = 64 << 20
	// maxDisk is far above what anybody makes, and so is maxContent, what a bundle may write.
	maxDisk    = 1 << 44
	maxContent = 128 << 30
)

// Disk is a file system of the image: its holes are what its extents leave out.
type Disk struct {
	Name    string     `json:"name"`
	Bytes   int64      `json:"bytes"`
	Extents [][2]int64 `json:"extents"` // offset and length of what is not zero, ascending
}

// Manifest comes first, so that what is not for this host is refused before its bytes are read.
type Manifest struct {
	Version int    `json:"version"`
	Arch    string `json:"arch"`
	// About is banger's record of the image: how to run it, what it was made of.
	About json.RawMessage `json:"about"`
	Disks []Disk          `json:"disks"`
}

// Packed says what was written.
type Packed struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// Names of the disks in a bundle.
const (
	Rootfs = "rootfs.ext4"
	Seed   = "work-seed.ext4"
)

// Pack writes a bundle of the files, by the names of their disks.
func Pack(out io.Writer, about json.RawMessage, names []string, files []*os.File, progress func(done, total int64)) (*Packed, error) {
	m := Manifest{Version: version, Arch: Arch, About: about}
	total := int64(0)
	for i, f := range files {
		extents, size, err := store.Extents(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		m.Disks = append(m.Disks, Disk{Name: names[i], Bytes: size, Extents: extents})
		for _, e := range extents {
			total += e[1]
		}
	}
	sum := &counted{w: out, sum: sha256.New()}
	z, err := zstd.NewWriter(sum, zstd.WithEncoderConcurrency(2))
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(z)
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if err := entry(archive, manifestName, int64(len(text))); err != nil {
		return nil, err
	}
	if _, err := archive.Write(text); err != nil {
		return nil, err
	}
	done := int64(0)
	for i, d := range m.Disks {
		if err := entry(archive, d.Name, d.content()); err != nil {
			return nil, err
		}
		for _, e := range d.Extents {
			if _, err := io.Copy(archive, io.NewSectionReader(files[i], e[0], e[1])); err != nil {
				return nil, err
			}
			done += e[1]
			progress(done, total)
		}
	}
	if err := errors.Join(archive.Close(), z.Close()); err != nil {
		return nil, err
	}
	return &Packed{SHA256: hex.EncodeToString(sum.sum.Sum(nil)), Bytes: sum.bytes}, nil
}

func (d Disk) content() (bytes int64) {
	for _, e := range d.Extents {
		bytes += e[1]
	}
	return bytes
}

func entry(archive *tar.Writer, name string, size int64) error {
	return archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Typeflag: tar.TypeReg, Format: tar.FormatPAX})
}

// check refuses what cannot be true, since the bundle may come from anybody.
func (m *Manifest) check() error {
	if m.Version != version {
		return fmt.Errorf("it is a bundle of version %d: this banger reads version %d", m.Version, version)
	}
	if m.Arch != Arch {
		return fmt.Errorf("it is for %.20q, not %s", m.Arch, Arch)
	}
	if len(m.Disks) == 0 || len(m.Disks) > 2 || m.Disks[0].Name != Rootfs || (len(m.Disks) == 2 && m.Disks[1].Name != Seed) {
		return errors.New("its manifest names other disks than a root file system and a work seed")
	}
	content := int64(0)
	for _, d := range m.Disks {
		end := int64(0)
		if d.Bytes <= 0 || d.Bytes > maxDisk {
			return fmt.Errorf("its %s would have %d bytes", d.Name, d.Bytes)
		}
		for _, e := range d.Extents {
			if e[0] < end || e[1] <= 0 || e[1] > d.Bytes-e[0] {
				return fmt.Errorf("its %s has extents that overlap, or lie beyond its end", d.Name)
			}
			end = e[0] + e[1]
		}
		if content += d.content(); content > maxContent {
			return fmt.Errorf("its disks hold more than %d GiB", maxContent>>30)
		}
	}
	return nil
}

// Unpack writes the disks of a bundle to files, which are sparse; `open` gives the file for each. What it has written when it fails is
// of no use.
func Unpack(in io.Reader, open func(name string) (*os.File, error), progress func(done, total int64)) (*Manifest, error) {
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	archive := tar.NewReader(z)
	if err := expect(archive, manifestName, maxManifest); err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.NewDecoder(archive).Decode(&m); err != nil {
		return nil, fmt.Errorf("its manifest is none: %w", err)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	total, done := int64(0), int64(0)
	for _, d := range m.Disks {
		total += d.content()
	}
	for _, d := range m.Disks {
		if err := expect(archive, d.Name, d.content()); err != nil {
			return nil, err
		}
		f, err := open(d.Name)
		if err != nil {
			return nil, err
		}
		err = d.write(f, archive, func(n int64) {
			done += n
			progress(done, total)
		})
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	// What is behind the archive is part of what its digest is of.
	_, err = io.Copy(io.Discard, z)
	return &m, err
}

func expect(archive *tar.Reader, name string, most int64) error {
	header, err := archive.Next()
	if err != nil {
		return fmt.Errorf("it is no bundle of an image: %w", err)
	}
	if header.Name != name || header.Typeflag != tar.TypeReg || header.Size > most {
		return fmt.Errorf("it is no bundle of an image: %.40q where %s was expected", header.Name, name)
	}
	return nil
}

func (d Disk) write(f *os.File, content io.Reader, wrote func(int64)) error {
	if err := f.Truncate(d.Bytes); err != nil {
		return err
	}
	for _, e := range d.Extents {
		n, err := io.Copy(io.NewOffsetWriter(f, e[0]), io.LimitReader(content, e[1]))
		if err != nil {
			return err
		}
		if n < e[1] {
			return fmt.Errorf("its %s ends early", d.Name)
		}
		wrote(n)
	}
	return f.Sync()
}
