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
	"unsafe"

	"golang.org/x/sys/unix"
)

// unpacked counts what an upload brought.
type unpacked struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

type unpacker struct {
	root *os.Root
	// parent is the directory that the last member was put into, under its name: archives go directory by directory, and each walk from
	// the root costs a few system calls a component.
	parent     *os.Root
	parentName string
	count      unpacked
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
	defer u.leave()
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
	name, err := local(h.Name)
	if err != nil {
		return err
	}
	if h.Typeflag == tar.TypeDir {
		if err := u.inside(name); err != nil {
			return err
		}
		u.dirs[name] = h
		return u.directory(name)
	}
	if name == "." {
		return fmt.Errorf("%w: only a directory can have this name", errMember)
	}
	if err := u.enter(name); err != nil {
		return err
	}
	base := path.Base(name)
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse:
		err = u.file(base, h, content)
	case tar.TypeSymlink:
		err = u.replacing(base, func() error { return u.parent.Symlink(h.Linkname, base) })
	case tar.TypeLink:
		err = u.replacing(base, func() error { return u.hardLink(name, h.Linkname) })
	default:
		return fmt.Errorf("%w: type %q is not a file, directory or link", errMember, h.Typeflag)
	}
	if err == nil {
		u.count.Files++
	}
	return err
}

// enter makes the directory of a member the parent, and the directory itself when it is not there.
func (u *unpacker) enter(name string) error {
	dir := path.Dir(name)
	if u.parent != nil && u.parentName == dir {
		return nil
	}
	u.leave()
	if err := u.inside(name); err != nil {
		return err
	}
	if err := u.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	parent, err := u.root.OpenRoot(dir)
	if err != nil {
		return err
	}
	u.parent, u.parentName = parent, dir
	return nil
}

func (u *unpacker) leave() {
	if u.parent != nil {
		u.parent.Close()
		u.parent = nil
	}
}

// replacing makes a member in the parent, in the place of what has its name.
func (u *unpacker) replacing(base string, make func() error) error {
	err := make()
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := u.parent.Remove(base); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return make()
}

// local returns the clean form of a member's name, or refuses one that is absolute or has "..".
func local(name string) (string, error) {
	clean := path.Clean(name)
	if path.IsAbs(name) || !filepath.IsLocal(clean) || strings.Contains("/"+name+"/", "/../") {
		return "", fmt.Errorf("%w: the name leads out of the target directory", errMember)
	}
	return clean, nil
}

// inside refuses a clean name that leads through anything but directories.
func (u *unpacker) inside(name string) error {
	for at := range parents(name) {
		info, err := u.root.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%w: %q on the way is not a directory", errMember, at)
		}
	}
	return nil
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

func (u *unpacker) file(base string, h *tar.Header, content io.Reader) error {
	var f *os.File
	err := u.replacing(base, func() (err error) {
		f, err = u.parent.OpenFile(base, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	n, err := io.Copy(f, content)
	u.count.Bytes += n
	if err == nil {
		// After the content: a write clears setuid.
		err = f.Chmod(h.FileInfo().Mode())
	}
	if err == nil {
		err = setTime(f, h.ModTime)
	}
	return errors.Join(err, f.Close())
}

// setTime gives an open file its time of modification, without a look at its name: utimensat(2) without a path.
func setTime(f *os.File, modified time.Time) error {
	written, err := unix.TimeToTimespec(modified)
	if err != nil {
		return err
	}
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, written}
	if _, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, f.Fd(), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0); errno != 0 {
		return fmt.Errorf("set the time of %s: %w", f.Name(), errno)
	}
	return nil
}

func (u *unpacker) hardLink(name, target string) error {
	target, err := local(target)
	if err == nil {
		err = u.inside(target)
	}
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
