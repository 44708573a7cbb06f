package kernel

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/Microsoft/hcsshim/ext4/tar2ext4"
)

// dangling are links into the kernel's build directory, which no guest has.
var dangling = []string{"build", "source"}

// writeExt4 writes the whole tree as a read-only ext4 whose root is the content of /lib/modules/RELEASE.
func (t *Tree) writeExt4(w io.ReadWriteSeeker) error {
	r, out := io.Pipe()
	go func() { out.CloseWithError(t.writeTar(out)) }()
	err := tar2ext4.Convert(r, w)
	return errors.Join(err, r.Close())
}

// writeTar writes names in order, root's, with time 0: the same tree gives the same bytes.
func (t *Tree) writeTar(w io.Writer) error {
	out := tar.NewWriter(w)
	err := filepath.WalkDir(t.Dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(t.Dir, file)
		if err != nil {
			return err
		}
		if slices.Contains(dangling, name) || t.made(name) {
			return nil
		}
		return addToTar(out, name, file, entry.Type())
	})
	if err == nil && t.index != "" {
		err = t.addIndex(out)
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", t.Dir, err)
	}
	return out.Close()
}

// made tells whether depmod's file of this name stands in for the tree's own. Below the top there are only the tree's.
func (t *Tree) made(name string) bool {
	return filepath.Base(name) == name && t.path(name) != filepath.Join(t.Dir, name)
}

func (t *Tree) addIndex(out *tar.Writer) error {
	entries, err := os.ReadDir(t.index)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := addToTar(out, e.Name(), filepath.Join(t.index, e.Name()), e.Type()); err != nil {
			return err
		}
	}
	return nil
}

func addToTar(out *tar.Writer, name, file string, kind fs.FileMode) error {
	header := &tar.Header{Name: name, ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	switch kind {
	case fs.ModeDir:
		header.Typeflag, header.Mode, header.Name = tar.TypeDir, 0o755, name+"/"
		return out.WriteHeader(header)
	case fs.ModeSymlink:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		header.Typeflag, header.Mode, header.Linkname = tar.TypeSymlink, 0o777, target
		return out.WriteHeader(header)
	case 0:
	default:
		return fmt.Errorf("%s is neither a file, a directory nor a link", name)
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Mode, header.Size = tar.TypeReg, 0o644, info.Size()
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(out, f)
	return err
}
