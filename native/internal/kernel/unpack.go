package kernel

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"banger.dev/native/internal/room"
)

// What a guest may send: Debian's largest kernel has 4,500 modules in 450 MiB.
const (
	maxArchived      = 100_000
	maxArchivedBytes = 4 << 30
)

// Archived says what of an archive was kept.
type Archived struct {
	Files int `json:"files"`
}

// Unpack writes the regular files of an archive whose names begin so into an existing directory. The archive is a guest's, so its
// links, FIFOs and devices are passed over, nothing of it lies outside the directory, and it is bounded in entries and bytes.
func Unpack(in io.Reader, prefix, directory string, reserve room.Reserve) (*Archived, error) {
	return unpack(in, prefix, directory, reserve, maxArchived, maxArchivedBytes)
}

func unpack(in io.Reader, prefix, directory string, reserve room.Reserve, entries int, bytes int64) (kept *Archived, err error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	kept = &Archived{}
	archive := tar.NewReader(in)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return kept, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the guest's archive: %w", err)
		}
		if entries--; entries < 0 {
			return nil, errors.New("the guest's archive has too many entries")
		}
		// A sparse file is as long as it says, however little of it is in the archive.
		if bytes -= header.Size; header.Size < 0 || bytes < 0 {
			return nil, errors.New("the guest's archive is too large")
		}
		name := path.Clean(header.Name)
		if header.Typeflag != tar.TypeReg || !strings.HasPrefix(name, prefix) {
			continue
		}
		if !filepath.IsLocal(name) {
			return nil, fmt.Errorf("the guest's archive names %.80q", header.Name)
		}
		if err := extract(root, name, archive, reserve); err != nil {
			return nil, err
		}
		kept.Files++
	}
}

func extract(root *os.Root, name string, content io.Reader, reserve room.Reserve) (err error) {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = io.Copy(reserve.Keep(file), content)
	return err
}
