package agent

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// unpacked counts what an upload brought.
type unpacked struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

type unpacker struct {
	root  *os.Root
	count unpacked
	// dirs get their mode and time last: a read-only directory must take its content first.
	dirs map[string]*tar.Header
}

// unpack puts an archive into dir. os.Root keeps every access inside it, also against links planted meanwhile.
func unpack(dir string, archive *tar.Reader) (unpacked, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return unpacked{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unpacked{}, err
	}
	defer root.Close()
	u := &unpacker{root: root, dirs: map[string]*tar.Header{}}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return u.count, u.finishDirs()
		}
		if err != nil {
			return u.count, fmt.Errorf("read the archive: %w", err)
		}
		if err := u.member(header, archive); err != nil {
			return u.count, fmt.Errorf("%q: %w", header.Name, err)
		}
	}
}

func (u *unpacker) member(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // git archive writes one with its commit
	}
	name, err := u.inside(h.Name)
	if err != nil {
		return err
	}
	if h.Typeflag == tar.TypeDir {
		u.dirs[name] = h
		return u.directory(name)
	}
	if name == "." {
		return fmt.Errorf("%w: only a directory can have this name", errMember)
	}
	if err := u.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	if err := u.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		err = u.file(name, h, content)
	case tar.TypeSymlink:
		err = u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		err = u.hardLink(name, h.Linkname)
	default:
		return fmt.Errorf("%w: type %q is not a file, directory or link", errMember, h.Typeflag)
	}
	if err == nil {
		u.count.Files++
	}
	return err
}

// inside returns the clean form of a member's name, or refuses it: absolute, with "..", or through a symlink.
func (u *unpacker) inside(name string) (string, error) {
	clean := path.Clean(name)
	if path.IsAbs(name) || !filepath.IsLocal(clean) || strings.Contains("/"+name+"/", "/../") {
		return "", fmt.Errorf("%w: the name leads out of the target directory", errMember)
	}
	for at := range parents(clean) {
		info, err := u.root.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return "", err
		}
		if !info.IsDir() {
			return "", fmt.Errorf("%w: %q on the way is not a directory", errMember, at)
		}
	}
	return clean, nil
}

// parents yields the directories above a clean relative name, outermost first.
func parents(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
	}
}

func (u *unpacker) directory(name string) error {
	if info, err := u.root.Lstat(name); err == nil && !info.IsDir() {
		if err := u.root.Remove(name); err != nil {
			return err
		}
	}
	return u.root.MkdirAll(name, 0o755)
}

func (u *unpacker) file(name string, h *tar.Header, content io.Reader) error {
	f, err := u.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, content)
	u.count.Bytes += n
	if err == nil {
		// After the content: a write clears setuid.
		err = f.Chmod(h.FileInfo().Mode())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return u.root.Chtimes(name, time.Time{}, h.ModTime)
}

func (u *unpacker) hardLink(name, target string) error {
	target, err := u.inside(target)
	if err != nil {
		return fmt.Errorf("link to %q: %w", target, err)
	}
	info, err := u.root.Lstat(target)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: link to %q, which is not a regular file", errMember, target)
	}
	return u.root.Link(target, name)
}

func (u *unpacker) finishDirs() error {
	for name, h := range u.dirs {
		info, err := u.root.Lstat(name)
		if err != nil || !info.IsDir() {
			continue // a later member took its place
		}
		if err := u.root.Chmod(name, h.FileInfo().Mode()); err != nil {
			return err
		}
		if err := u.root.Chtimes(name, time.Time{}, h.ModTime); err != nil {
			return err
		}
	}
	return nil
}
