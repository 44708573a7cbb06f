// Package room keeps the reserve of the file system that something is written to. A full disk destroys the dm snapshots of every
// running VM for good, so whoever writes much stops before the disk is full, not when it is.
package room

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Default is what callers keep who do not say otherwise: RESERVE_BYTES of packages/capabilities/src/reserve.ts.
const Default Reserve = 2048 << 20

// Fix is the command that makes room.
const Fix = "banger df shows what takes room, banger prune removes what nothing uses; or delete VMs that are no longer needed"

// Step is how many bytes are written between two looks at the disk.
const Step = 16 << 20

// Reserve is how many bytes stay free. None at all is kept with 0.
type Reserve int64

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
	if r <= 0 {
		return nil
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
		return fmt.Errorf("statfs %s: %w", f.Name(), err)
	}
	if free := int64(fs.Bavail) * fs.Bsize; free-bytes < int64(r) {
		return &Full{f.Name(), free, bytes, int64(r)}
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

// Where is the reserve for what goes into a directory: none where that is another file system than the one to protect.
func (r Reserve) Where(directory, protected string) Reserve {
	var here, there unix.Stat_t
	if unix.Stat(directory, &here) == nil && unix.Stat(protected, &there) == nil && here.Dev != there.Dev {
		return 0
	}
	return r
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
