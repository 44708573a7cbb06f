package agent

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func (a *Agent) getFiles(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("path")
	if !path.IsAbs(name) || path.Clean(name) == "/" {
		fail(w, http.StatusBadRequest, fmt.Errorf("path %q: want an absolute path below /", name))
		return
	}
	name = path.Clean(name)
	if _, err := os.Lstat(name); err != nil {
		status := http.StatusInternalServerError
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			status = http.StatusNotFound
		}
		fail(w, status, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-tar")
	if err := pack(name, &stallWriter{w: w, control: http.NewResponseController(w)}); err != nil {
		log.Printf("send %s: %v", name, err)
		panic(http.ErrAbortHandler) // no closing chunk: the host sees that the archive is cut short
	}
}

// stallWriter moves the deadline on with each write.
type stallWriter struct {
	w       io.Writer
	control *http.ResponseController
}

func (s *stallWriter) Write(p []byte) (int, error) {
	_ = s.control.SetWriteDeadline(time.Now().Add(stall))
	return s.w.Write(p)
}

type inode struct{ dev, ino uint64 }

type packer struct {
	out   *tar.Writer
	base  string
	links map[inode]string
}

// pack writes the file or tree at name as an archive, names relative to its parent.
func pack(name string, w io.Writer) error {
	p := &packer{out: tar.NewWriter(w), base: path.Dir(name), links: map[inode]string{}}
	if err := filepath.WalkDir(name, p.visit); err != nil {
		return err
	}
	return p.out.Close()
}

func (p *packer) visit(name string, entry fs.DirEntry, err error) error {
	var info fs.FileInfo
	if err == nil {
		info, err = entry.Info()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed meanwhile: the tree may be in use
	}
	if err != nil {
		return err
	}
	var target string
	switch info.Mode().Type() {
	case fs.ModeDir:
		if kernelMade(name) {
			return fs.SkipDir
		}
	case fs.ModeSymlink:
		if target, err = os.Readlink(name); err != nil {
			return err
		}
	case 0:
	default:
		return nil // sockets, pipes and devices mean nothing on the host
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header.Uname, header.Gname = "", ""
	if header.Name, err = filepath.Rel(p.base, name); err != nil {
		return err
	}
	if info.IsDir() {
		header.Name += "/"
	}
	if !info.Mode().IsRegular() {
		return p.out.WriteHeader(header)
	}
	return p.file(name, header, info.Sys().(*syscall.Stat_t))
}

func (p *packer) file(name string, header *tar.Header, stat *syscall.Stat_t) error {
	id := inode{stat.Dev, stat.Ino}
	if first, ok := p.links[id]; ok {
		header.Typeflag, header.Linkname, header.Size = tar.TypeLink, first, 0
		return p.out.WriteHeader(header)
	}
	// Not blocking, not following: the name may be another thing by now.
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if stat.Nlink > 1 {
		p.links[id] = header.Name
	}
	if err := p.out.WriteHeader(header); err != nil {
		return err
	}
	// A file that grows meanwhile is cut at the size announced; one that shrinks fails the transfer.
	if _, err := io.CopyN(p.out, f, header.Size); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// kernelMade tells of directories whose files the kernel makes up as they are read: their sizes mean nothing.
func kernelMade(dir string) bool {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return false
	}
	switch s.Type {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.DEBUGFS_MAGIC, unix.TRACEFS_MAGIC:
		return true
	}
	return false
}
