// Package bundle packs files of banger's, most of them file systems, into one, and takes it apart again: a tar archive compressed with
// zstd, which holds manifest.json and after it the content of each file without its holes.
package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/klauspost/compress/zstd"

	"banger.dev/native/internal/room"
	"banger.dev/native/internal/store"
)

const (
	manifestName = "manifest.json"
	version      = 1
	// Arch is what all of it is for.
	Arch = "amd64"
	// maxManifest has room for the extents of a disk of a terabyte in pieces of a mebibyte.
	maxManifest = 64 << 20
	// maxFile is far above what anybody makes, and so are maxContent, what a bundle may write, and maxFiles.
	maxFile    = 1 << 44
	maxContent = 128 << 30
	maxFiles   = 256
	// bomb is how much may be unpacked before the ratio is looked at. File systems without their zeros shrink to a third; a few
	// that hold texts alone to a tenth.
	bomb     = 256 << 20
	maxRatio = 100
	// hole is the unit in which zeros become holes again.
	hole = 64 << 10
)

var zeros [hole]byte

// File is one of the bundle's: its holes are what its extents leave out. Its name is a word between those who pack and unpack, and
// never a path on a host.
type File struct {
	Name    string     `json:"name"`
	Bytes   int64      `json:"bytes"`
	Extents [][2]int64 `json:"extents"` // offset and length of what is not zero, ascending
}

// Manifest comes first, so that what is not for this host is refused before its bytes are read.
type Manifest struct {
	Version int    `json:"version"`
	Arch    string `json:"arch"`
	// About says what the files are.
	About json.RawMessage `json:"about"`
	Files []File          `json:"files"`
}

// Packed says what was written.
type Packed struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// Pack writes a bundle of the files, each under its name.
func Pack(out io.Writer, about json.RawMessage, names []string, files []*os.File, progress func(done, total int64)) (*Packed, error) {
	m := Manifest{Version: version, Arch: Arch, About: about}
	total := int64(0)
	for i, f := range files {
		extents, size, err := store.Extents(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		m.Files = append(m.Files, File{Name: names[i], Bytes: size, Extents: extents})
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
	for i, d := range m.Files {
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

func (d File) content() (bytes int64) {
	for _, e := range d.Extents {
		bytes += e[1]
	}
	return bytes
}

func entry(archive *tar.Writer, name string, size int64) error {
	return archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size, Typeflag: tar.TypeReg, Format: tar.FormatPAX})
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-zA-Z0-9._/-]{0,199}$`)

// check refuses what cannot be true, since the bundle may come from anybody.
func (m *Manifest) check() error {
	if m.Version != version {
		return fmt.Errorf("it is a bundle of version %d: this banger reads version %d", m.Version, version)
	}
	if m.Arch != Arch {
		return fmt.Errorf("it is for %.20q, not %s", m.Arch, Arch)
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return fmt.Errorf("its manifest names %d files; 1 to %d are possible", len(m.Files), maxFiles)
	}
	seen := map[string]bool{manifestName: true}
	content := int64(0)
	for _, d := range m.Files {
		end := int64(0)
		if !nameForm.MatchString(d.Name) || seen[d.Name] {
			return fmt.Errorf("its manifest has the name %.40q, or has it twice", d.Name)
		}
		seen[d.Name] = true
		if d.Bytes <= 0 || d.Bytes > maxFile {
			return fmt.Errorf("its %s would have %d bytes", d.Name, d.Bytes)
		}
		for _, e := range d.Extents {
			if e[0] < end || e[1] <= 0 || e[1] > d.Bytes-e[0] {
				return fmt.Errorf("its %s has extents that overlap, or lie beyond its end", d.Name)
			}
			end = e[0] + e[1]
		}
		if content += d.content(); content > maxContent {
			return fmt.Errorf("its files hold more than %d GiB", maxContent>>30)
		}
	}
	return nil
}

// Unpack writes the files of a bundle into a directory, sparse, each under its number in the manifest. What it has written when it fails
// is of no use. It writes nothing into the reserve, and no more than a bundle of that length can hold.
func Unpack(in io.Reader, directory string, reserve room.Reserve, progress func(done, total int64)) (*Manifest, error) {
	packed := &counter{r: in}
	z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	unpacked := &guard{r: z, packed: packed}
	archive := tar.NewReader(unpacked)
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
	for _, d := range m.Files {
		total += d.content()
	}
	if err := reserve.In(directory, total); err != nil {
		return nil, err
	}
	for i, d := range m.Files {
		if err := expect(archive, d.Name, d.content()); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(filepath.Join(directory, strconv.Itoa(i)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, err
		}
		err = d.write(reserve.Keep(f), archive, func(n int64) {
			done += n
			progress(done, total)
		})
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	// What is behind the archive is part of what its digest is of.
	_, err = io.Copy(io.Discard, unpacked)
	return &m, err
}

func expect(archive *tar.Reader, name string, most int64) error {
	header, err := archive.Next()
	if err != nil {
		return fmt.Errorf("it is no bundle: %w", err)
	}
	if header.Name != name || header.Typeflag != tar.TypeReg || header.Size > most {
		return fmt.Errorf("it is no bundle: %.40q where %s was expected", header.Name, name)
	}
	return nil
}

func (d File) write(f *room.File, content io.Reader, wrote func(int64)) error {
	if err := f.Truncate(d.Bytes); err != nil {
		return err
	}
	buffer := make([]byte, hole)
	for _, e := range d.Extents {
		for at, end := e[0], e[0]+e[1]; at < end; {
			// Up to the next multiple, so that whole blocks of the file are looked at.
			piece := buffer[:min(hole-at%hole, end-at)]
			if _, err := io.ReadFull(content, piece); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("its %s ends early", d.Name)
			} else if err != nil {
				return err
			}
			if !bytes.Equal(piece, zeros[:len(piece)]) {
				if _, err := f.WriteAt(piece, at); err != nil {
					return err
				}
			}
			at += int64(len(piece))
			wrote(int64(len(piece)))
		}
	}
	return f.Sync()
}
