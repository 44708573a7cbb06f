package oci

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"banger.dev/native/internal/mkext4"
	"banger.dev/native/internal/room"
)

// parallel is how many layers are fetched and unpacked at a time: each holds a few MiB.
const parallel = 3

// Result says what was written.
type Result struct {
	// Digest of the image's manifest: the same one makes the same file systems.
	Digest string `json:"digest"`
	Bytes  int64  `json:"bytes"`
	Files  int    `json:"files"`
	// InRoot is how many files of /root are in the work seed. There is none when it is 0.
	InRoot int     `json:"inRoot"`
	Config *Config `json:"config"`
}

// Progress is told what was done of how much, in bytes.
type Progress func(phase string, done, total int64)

// Target is where an image is written to: an ext4 of at least Size bytes to Rootfs, and one of what it has in /root to Seed. Where
// nobody wants a Seed, /root stays in the root file system.
type Target struct {
	Rootfs, Seed string
	Size         int64
}

// Remove takes away what lies there and is not whole; of a seed, also what is: no root file system goes with it.
func (t Target) Remove() error {
	names := []string{t.Rootfs + ".partial"}
	if t.Seed != "" {
		names = append(names, t.Seed+".partial", t.Seed)
	}
	var all []error
	for _, name := range names {
		if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// Convert writes an image as file systems, or leaves nothing there.
func Convert(ctx context.Context, img *image, to Target, limits Limits, progress Progress) (*Result, error) {
	layers, left, err := unpack(ctx, img, filepath.Dir(to.Rootfs), limits, progress)
	defer func() {
		for _, l := range layers {
			l.spool.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	progress("write", 0, left.content)
	t := newTree(left)
	for at, l := range layers {
		t.layer = at
		for _, e := range l.entries {
			if err := t.apply(e); err != nil {
				return nil, fmt.Errorf("layer %d, %q: %w", at+1, e.name, asBadLayer(err))
			}
		}
	}
	w := &fsWriter{left: left, progress: progress}
	for _, l := range layers {
		taken, err := l.spool.allocated()
		if err != nil {
			return nil, err
		}
		w.spooled += taken
	}
	result := &Result{Digest: img.digest, Files: left.entries, Config: img.config}
	var seed *mkext4.Node
	if to.Seed != "" {
		seed, result.InRoot = t.split()
	}
	if seed != nil {
		// As small as its content allows: a guest grows it to its own disk, which may be small.
		if _, err := w.write(to.Seed+".partial", seed, 0, workDisk, img.digest+"/root"); err != nil {
			return nil, errors.Join(err, to.Remove())
		}
	}
	// Room for what a guest installs: a file system that is full from the start is of no use.
	size := max(to.Size, left.content+left.content/4+(1<<30))
	if result.Bytes, err = w.write(to.Rootfs+".partial", t.root, (size+mib-1)/mib*mib, 0, img.digest); err != nil {
		return nil, errors.Join(err, to.Remove())
	}
	if seed != nil {
		err = os.Rename(to.Seed+".partial", to.Seed)
	}
	if err == nil {
		err = os.Rename(to.Rootfs+".partial", to.Rootfs)
	}
	if err != nil {
		return nil, errors.Join(err, to.Remove())
	}
	progress("write", left.content, left.content)
	return result, nil
}

const (
	mib = 1 << 20
	// workDisk is the size of most: DEFAULT_DISK_MIB of packages/domain/src/vm.ts.
	workDisk = 8 << 30
)

// fsWriter writes the file systems of one image, and tells how much of its content.
type fsWriter struct {
	left     *budget
	progress Progress
	// spooled is what the content of all layers takes on the disk.
	spooled int64
	done    int64
	told    time.Time
}

// write makes a file system of a tree. The same name makes the same one of the same tree.
func (w *fsWriter) write(out string, root *mkext4.Node, size, grown int64, name string) (int64, error) {
	f, err := os.OpenFile(out, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	uuid := sha256.Sum256([]byte(name))
	kept := w.left.Reserve.Keep(f)
	err = mkext4.Write(&told{kept, w}, root, mkext4.Options{Size: size, Grown: grown, UUID: [16]byte(uuid[:16]), Time: zeroTime, Room: func(atMost int64) error {
		// What is a hole in the spool becomes one again; beside their content, files take a block for its rest and one for a name.
		return w.left.Reserve.For(f, min(atMost, w.spooled+int64(w.left.entries)*8192))
	}})
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return 0, asBadLayer(err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// told tells what is written, a few times a second.
type told struct {
	*room.File
	w *fsWriter
}

func (t *told) WriteAt(b []byte, at int64) (int, error) {
	n, err := t.File.WriteAt(b, at)
	t.w.done += int64(n)
	if now := time.Now(); now.Sub(t.w.told) > tick {
		t.w.told = now
		t.w.progress("write", min(t.w.done, t.w.left.content), t.w.left.content)
	}
	return n, err
}

// asBadLayer makes an error about an entry the image's fault, unless it has a kind of its own or is the host's.
func asBadLayer(err error) error {
	if known(err) {
		return err
	}
	return fault(BadLayer, "%v", err)
}

type unpackedLayer struct {
	spool   *spool
	entries []*entry
}

// unpack fetches and reads all layers, several at a time.
func unpack(ctx context.Context, img *image, scratch string, limits Limits, progress Progress) ([]*unpackedLayer, *budget, error) {
	total := int64(0)
	for _, l := range img.layers {
		total += l.size
	}
	counted := &meter{phase: "fetch", progress: progress, total: total}
	left := &budget{Limits: limits}
	var all []*unpackedLayer
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for at, l := range img.layers {
		spool, err := newSpool(scratch, limits.Reserve)
		if err != nil {
			return all, left, errors.Join(err, group.Wait())
		}
		u := &unpackedLayer{spool: spool}
		all = append(all, u)
		group.Go(func() error {
			if err := u.read(ctx, l, left, counted); err != nil {
				return fmt.Errorf("layer %d: %w", at+1, err)
			}
			return nil
		})
	}
	return all, left, group.Wait()
}

func (u *unpackedLayer) read(ctx context.Context, l *layer, left *budget, counted *meter) error {
	packed, err := l.open(ctx)
	if err != nil {
		return err
	}
	reader := &layerReader{spool: u.spool, limits: left, plain: l.plain}
	entries, diffID, err := reader.read(&metered{r: packed, meter: counted})
	if err == nil || AsFault(err).Kind == BadLayer {
		// What is behind the archive is part of what the digest is of; and a wrong digest tells more than what is damaged in it.
		if _, rest := io.Copy(io.Discard, packed); rest != nil {
			err = rest
		}
	}
	if err != nil {
		// Not waited for: a download ends with the context, which this error cancels.
		go packed.Close()
		return err
	}
	if err := packed.Close(); err != nil {
		return err
	}
	if l.diffID != "" && diffID != l.diffID {
		return fault(WrongDigest, "it unpacks to %s, not %s as the image's configuration says", diffID, l.diffID)
	}
	u.entries = entries
	return u.spool.finish()
}

// meter adds up what is read in a phase, of all layers say, and tells it a few times a second.
type meter struct {
	phase       string
	progress    Progress
	mutex       sync.Mutex
	done, total int64
	told        time.Time
}

const tick = 200 * time.Millisecond

func (m *meter) add(n int64) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.done += n
	if now := time.Now(); now.Sub(m.told) > tick || m.done == m.total {
		m.told = now
		m.progress(m.phase, m.done, m.total)
	}
}

type metered struct {
	r     io.Reader
	meter *meter
}

func (m *metered) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.meter.add(int64(n))
	return n, err
}

// Run pulls an image and converts it. The result is nil when its digest is the one that is not wanted again.
func (p *Pull) Run(ctx context.Context, unless string, to Target, progress Progress) (*Result, error) {
	img, err := p.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	if img.digest == unless {
		return nil, nil
	}
	return Convert(ctx, img, to, p.Limits, progress)
}

// Import converts an image of the user's files.
func Import(ctx context.Context, source string, to Target, limits Limits, progress Progress) (*Result, error) {
	img, closeSource, err := Open(source, filepath.Dir(to.Rootfs), limits, progress)
	if err != nil {
		return nil, err
	}
	result, err := Convert(ctx, img, to, limits, progress)
	return result, errors.Join(err, closeSource())
}
