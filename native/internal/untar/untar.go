// Package untar puts archives of strangers into directories, and nothing of them anywhere else.
package untar

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
)

// ErrMember marks an archive that must not be unpacked, as against a disk that cannot take it.
var ErrMember = errors.New("refused")

// Count is what an archive brought: everything but directories, and the bytes of files.
type Count struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Target is where an archive goes.
type Target struct {
	// Dir is made when it is not there.
	Dir string
	// As is the name that the one member at the archive's top gets, with all below it; empty: members keep their names.
	As string
	// Modes are the bits of modes that are kept.
	Modes fs.FileMode
	// Reserve stays free on the file system, whatever the archive says of itself.
	Reserve room.Reserve
}

// lookEach is how many members go by between two looks at the disk for what is no file's content.
const lookEach = 256

// AllModes has whatever chmod(2) sets.
const AllModes = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// CopyTo is the target of a copy, as cp(1) has it: into a directory that is there, else in the place of the path's last name.
func CopyTo(name string, modes fs.FileMode) (Target, error) {
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		return Target{Dir: name, Modes: modes}, nil
	}
	if strings.HasSuffix(name, "/") {
		if err == nil {
			err = &fs.PathError{Op: "copy to", Path: name, Err: unix.ENOTDIR}
		}
		return Target{}, err
	}
	dir := filepath.Dir(name)
	if info, err := os.Stat(dir); err != nil {
		return Target{}, err
	} else if !info.IsDir() {
		return Target{}, &fs.PathError{Op: "copy to", Path: dir, Err: unix.ENOTDIR}
	}
	return Target{Dir: dir, As: filepath.Base(name), Modes: modes}, nil
}

type unpacker struct {
	Target
	root *os.Root
	// top is the name at the archive's top, once a member had one.
	top string
	// parent is the directory that the last member was put into, under its name: archives go directory by directory, and each walk from
	// the root costs a few system calls a component.
	parent     *os.Root
	parentName string
	count      Count
	// dirs get their mode and time last: a read-only directory must take its content first.
	dirs map[string]*tar.Header
}

// Into puts an archive into the target's directory. os.Root keeps every access inside it, also against links planted meanwhile.
func Into(target Target, archive *tar.Reader) (Count, error) {
	if err := os.MkdirAll(target.Dir, 0o755); err != nil {
		return Count{}, err
	}
	root, err := os.OpenRoot(target.Dir)
	if err != nil {
		return Count{}, err
	}
	defer root.Close()
	u := &unpacker{Target: target, root: root, dirs: map[string]*tar.Header{}}
	defer u.leave()
	for members := 0; ; members++ {
		if members%lookEach == 0 {
			if err := u.Reserve.In(u.Dir, room.Step); err != nil {
				return u.count, err
			}
		}
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
	name, err := u.local(h.Name)
	if err != nil {
		return err
	}
	if h.Typeflag == tar.TypeDir {
		if name == u.As && u.isNoDirectory(name) {
			return &fs.PathError{Op: "copy a directory to", Path: path.Join(u.Dir, name), Err: unix.ENOTDIR}
		}
		if err := u.inside(name); err != nil {
			return err
		}
		u.dirs[name] = h
		return u.directory(name)
	}
	if name == "." {
		return fmt.Errorf("%w: only a directory can have this name", ErrMember)
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
		return fmt.Errorf("%w: type %q is not a file, directory or link", ErrMember, h.Typeflag)
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

func (u *unpacker) isNoDirectory(name string) bool {
	info, err := u.root.Lstat(name)
	return err == nil && !info.IsDir()
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

// local returns the clean form of a member's name, as the target has it, or refuses one that is absolute or has "..".
func (u *unpacker) local(name string) (string, error) {
	clean := path.Clean(name)
	if path.IsAbs(name) || !filepath.IsLocal(clean) || strings.Contains("/"+name+"/", "/../") {
		return "", fmt.Errorf("%w: the name leads out of the target directory", ErrMember)
	}
	if u.As == "" {
		return clean, nil
	}
	top, below, _ := strings.Cut(clean, "/")
	if u.top == "" {
		u.top = top
	}
	if top != u.top {
		return "", fmt.Errorf("%w: it has more than one member at its top, for one name", ErrMember)
	}
	return path.Join(u.As, below), nil
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
			return fmt.Errorf("%w: %q on the way is not a directory", ErrMember, at)
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
	name := base
	f, err := u.parent.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		// The old file stays until the new one is whole.
		name = fmt.Sprintf(".%.200s.%016x", base, rand.Uint64())
		f, err = u.parent.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(u.Reserve.Keep(f), content)
	u.count.Bytes += n
	if err == nil {
		// After the content: a write clears setuid.
		err = f.Chmod(h.FileInfo().Mode() & u.Modes)
	}
	if err == nil {
		err = setTime(f, h.ModTime)
	}
	if err = errors.Join(err, f.Close()); err == nil && name != base {
		err = u.put(name, base)
	}
	if err != nil {
		_ = u.parent.Remove(name)
	}
	return err
}

// put gives a file the name of what is in its way.
func (u *unpacker) put(name, base string) error {
	if info, err := u.parent.Lstat(base); err == nil && info.IsDir() {
		if err := u.parent.Remove(base); err != nil {
			return err
		}
	}
	return u.parent.Rename(name, base)
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
	target, err := u.local(target)
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
		return fmt.Errorf("%w: link to %q, which is not a regular file", ErrMember, target)
	}
	return u.root.Link(target, name)
}

func (u *unpacker) finishDirs() error {
	for name, h := range u.dirs {
		info, err := u.root.Lstat(name)
		if err != nil || !info.IsDir() {
			continue // a later member took its place
		}
		if err := u.root.Chmod(name, h.FileInfo().Mode()&u.Modes); err != nil {
			return err
		}
		if err := u.root.Chtimes(name, time.Time{}, h.ModTime); err != nil {
			return err
		}
	}
	return nil
}
