// Package room keeps the reserve of the file system that the VMs' disks lie on. When that one is full, the dm snapshots of every
// running VM are destroyed for good, so whoever writes much to it stops before. Any other may be filled.
package room

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Default is what callers keep who do not say otherwise: the default of storage.reserve (packages/domain/src/host-config.ts), on
// the file system of ROOT_STATE (packages/capabilities). banger itself always says, with --reserve.
var Default = Reserve{Bytes: 2048 << 20, Of: "/var/lib/banger"}

// Fix is the command that makes room.
const Fix = "banger df shows what takes room, banger prune removes what nothing uses; or delete VMs that are no longer needed"

// Step is how many bytes are written between two looks at the disk.
const Step = 16 << 20

// Reserve is how many bytes stay free on one file system. None is kept with 0 bytes.
type Reserve struct {
	Bytes int64
	// Of is any path on the file system that keeps the reserve: one that is not there protects nothing. Without it, each keeps it.
	Of string
}

// String and Set make the bytes a flag.
func (r *Reserve) String() string { return strconv.FormatInt(r.Bytes, 10) }

func (r *Reserve) Set(bytes string) (err error) {
	r.Bytes, err = strconv.ParseInt(bytes, 10, 64)
	return err
}

// pooled are btrfs, ZFS and bcachefs, by statfs(2): parts of one pool share its room, and each has a device number and figures of
// its own. Two of a kind count as one pool.
var pooled = []int64{0x9123683e, 0x2fc12fc1, 0xca451a4e}

// identity tells one file system from another, by its type and the device number.
func identity(kind int64, device uint64) string {
	if slices.Contains(pooled, kind) {
		return fmt.Sprintf("pool %d", kind)
	}
	return fmt.Sprintf("device %d", device)
}

// isOf tells whether the file system of an open file keeps the reserve.
func (r Reserve) isOf(f *os.File, fs unix.Statfs_t) bool {
	var keptFs unix.Statfs_t
	var own, kept unix.Stat_t
	if r.Of == "" {
		return true
	}
	return unix.Statfs(r.Of, &keptFs) == nil && unix.Stat(r.Of, &kept) == nil && unix.Fstat(int(f.Fd()), &own) == nil &&
		identity(fs.Type, own.Dev) == identity(keptFs.Type, kept.Dev)
}

// Full says that writing would go into the reserve.
type Full struct {
	Path                  string
	Free, Wanted, Reserve int64
}

func (f *Full) Error() string {
	return fmt.Sprintf("the host's disk is nearly full: %d MiB free, %d MiB are wanted, %d MiB are kept in reserve",
		f.Free>>20, (f.Wanted+1<<20-1)>>20, f.Reserve>>20)
}

// For fails when so many bytes more, on the file system of an open file, would go into the reserve.
func (r Reserve) For(f *os.File, bytes int64) error {
	if r.Bytes <= 0 {
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
		return fmt.Errorf("statfs %s: %w", f.Name(), err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free-bytes < r.Bytes && r.isOf(f, fs) {
		return &Full{f.Name(), free, bytes, r.Bytes}
	}
	return nil
}

// In is For where a directory is all that there is yet.
func (r Reserve) In(directory string, bytes int64) error {
	d, err := os.Open(directory)
	if err != nil {
		return err
	}
	defer d.Close()
	return r.For(d, bytes)
}

// File is one that is written while the reserve is kept. Its holes cost nothing.
type File struct {
	*os.File
	reserve Reserve
	// left is what may be written before the next look.
	left int64
}

// Keep makes every write to the file keep the reserve.
func (r Reserve) Keep(f *os.File) *File { return &File{File: f, reserve: r} }

func (f *File) make(bytes int) error {
	if f.left -= int64(bytes); f.left >= 0 {
		return nil
	}
	next := max(Step, int64(bytes))
	if err := f.reserve.For(f.File, next); err != nil {
		return err
	}
	f.left = next - int64(bytes)
	return nil
}

func (f *File) Write(b []byte) (int, error) {
	if err := f.make(len(b)); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func (f *File) WriteAt(b []byte, at int64) (int, error) {
	if err := f.make(len(b)); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}

// WriteString hides the file's own, which would not look.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// ReadFrom hides the file's own, which would copy past the reserve.
func (f *File) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{f}, r)
}
