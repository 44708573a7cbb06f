package boot

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// writeFiles makes what it can: an image in which one has no place boots without it.
func (b *boot) writeFiles() error {
	for _, f := range b.config.Files {
		if slices.ContainsFunc(f.Unless, isThere) {
			continue
		}
		if err := replaceFile(f.Path, fs.FileMode(f.Mode), []byte(f.Content)); err != nil {
			b.warn("%v", err)
		}
	}
	return nil
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// replaceFile puts a file of root's at path, in place of what stands there; a symlink is replaced, not followed.
// A file that is already right is left alone: each write costs blocks of the VM's snapshot.
func replaceFile(path string, mode fs.FileMode, content []byte) error {
	if info, err := os.Lstat(path); err == nil && info.Mode() == mode && info.Size() == int64(len(content)) {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
			return os.Chown(path, 0, 0)
		}
	}
	parents := fs.FileMode(0o755)
	if mode&0o077 == 0 {
		parents = 0o700
	}
	directory, err := makeDirectory("/", filepath.Dir(path), parents)
	if err != nil {
		return fmt.Errorf("parents of %s: %w", path, err)
	}
	path = filepath.Join(directory, filepath.Base(path))
	tmp, err := os.CreateTemp(directory, ".banger-*")
	if err != nil {
		return err
	}
	_, writeErr := tmp.Write(content)
	err = errors.Join(writeErr, tmp.Chmod(mode), tmp.Chown(0, 0), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
