// Command list-tree prints every entry below a directory, one JSON line each: what two file systems must have in common to be the
// same image. It is for the tests, and static, so that it runs in a guest that has nothing else.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

type entry struct {
	Name   string            `json:"name"`
	Kind   string            `json:"kind"`
	Mode   string            `json:"mode"`
	Owner  [2]uint32         `json:"owner"`
	Xattrs map[string]string `json:"xattrs,omitempty"`
	Target string            `json:"target,omitempty"`
	Device string            `json:"device,omitempty"`
	Size   int64             `json:"size,omitempty"`
	SHA256 string            `json:"sha256,omitempty"`
	// SameAs is the first of a file's names, in order: the same names must be one file.
	SameAs string `json:"sameAs,omitempty"`
}

var kinds = map[uint32]string{
	unix.S_IFREG: "file", unix.S_IFDIR: "directory", unix.S_IFLNK: "link", unix.S_IFCHR: "char", unix.S_IFBLK: "block", unix.S_IFIFO: "fifo", unix.S_IFSOCK: "socket",
}

func main() {
	root, err := os.Args[1], error(nil)
	if root == "--bare" {
		root, err = bare()
	}
	if err == nil {
		err = list(root)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "list-tree:", err)
		os.Exit(1)
	}
}

// bare gives the file system at / without what is mounted on it: bound, in a mount namespace of our own, where every system has a directory.
func bare() (string, error) {
	// A namespace is a thread's.
	runtime.LockOSThread()
	return "/dev", errors.Join(unix.Unshare(unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("/", "/dev", "", unix.MS_BIND, ""))
}

func list(root string) error {
	first := map[[2]uint64]string{}
	out := json.NewEncoder(os.Stdout)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		// Every ext4 has one.
		if filepath.Base(name) == "lost+found" {
			return filepath.SkipDir
		}
		e, err := describe(path, name, first)
		if err != nil {
			return err
		}
		return out.Encode(e)
	})
}

func describe(path, name string, first map[[2]uint64]string) (*entry, error) {
	var info unix.Stat_t
	if err := unix.Lstat(path, &info); err != nil {
		return nil, err
	}
	// Quoted, for names need not be UTF-8.
	e := &entry{Name: strconv.Quote(name), Kind: kinds[info.Mode&unix.S_IFMT], Mode: fmt.Sprintf("%#o", info.Mode&0o7777), Owner: [2]uint32{info.Uid, info.Gid}}
	var err error
	if e.Xattrs, err = xattrs(path); err != nil {
		return nil, err
	}
	switch e.Kind {
	case "directory":
		return e, nil
	case "link":
		target, err := os.Readlink(path)
		if err != nil {
			return nil, err
		}
		e.Target = strconv.Quote(target)
	case "char", "block":
		e.Device = fmt.Sprintf("%d:%d", unix.Major(info.Rdev), unix.Minor(info.Rdev))
	case "file":
		e.Size = info.Size
		if e.SHA256, err = digest(path); err != nil {
			return nil, err
		}
	}
	inode := [2]uint64{info.Dev, info.Ino}
	if _, ok := first[inode]; !ok {
		first[inode] = e.Name
	}
	e.SameAs = first[inode]
	return e, nil
}

func xattrs(path string) (map[string]string, error) {
	names := make([]byte, 64<<10)
	n, err := unix.Llistxattr(path, names)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, name := range slices.DeleteFunc(strings.Split(string(names[:n]), "\x00"), func(s string) bool { return s == "" }) {
		value := make([]byte, 64<<10)
		n, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", name, path, err)
		}
		all[name] = hex.EncodeToString(value[:n])
	}
	return all, nil
}

func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
