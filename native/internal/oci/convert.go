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
)

// parallel is how many layers are fetched and unpacked at a time: each holds a few MiB.
const parallel = 3

// Result says what was written.
type Result struct {
	// Digest of the image's manifest: the same one makes the same file system.
	Digest string  `json:"digest"`
	Bytes  int64   `json:"bytes"`
	Files  int     `json:"files"`
	Config *Config `json:"config"`
}

// Progress is told what was done of how much, in bytes.
type Progress func(phase string, done, total int64)

// Convert writes an image as an ext4 of at least size bytes to the file out, or leaves nothing there.
func Convert(ctx context.Context, img *image, out string, size int64, limits Limits, progress Progress) (*Result, error) {
	layers, left, err := unpack(ctx, img, filepath.Dir(out), limits, progress)
	defer func() {
		for _, l := range layers {
			l.spool.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	t := newTree()
	for at, l := range layers {
		t.layer = at
		for _, e := range l.entries {
			if err := t.apply(e); err != nil {
				return nil, fmt.Errorf("layer %d, %q: %w", at+1, e.name, asBadLayer(err))
			}
		}
	}
	progress("write", 0, left.content)
	// Room for what a guest installs: a file system that is full from the start is of no use.
	size = max(size, left.content+left.content/4+(1<<30))
	uuid := sha256.Sum256([]byte(img.digest))
	f, err := os.OpenFile(out+".partial", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	err = mkext4.Write(f, t.root, mkext4.Options{Size: size, UUID: [16]byte(uuid[:16]), Time: zeroTime})
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err != nil {
		return nil, errors.Join(asBadLayer(err), os.Remove(f.Name()))
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	progress("write", left.content, left.content)
	return &Result{Digest: img.digest, Bytes: info.Size(), Files: left.entries, Config: img.config}, nil
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
	counted := &meter{progress: progress, total: total}
	left := &budget{Limits: limits}
	var all []*unpackedLayer
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for at, l := range img.layers {
		spool, err := newSpool(scratch)
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

// meter adds up what all layers have read and tells it a few times a second.
type meter struct {
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
		m.progress("fetch", m.done, m.total)
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
func (p *Pull) Run(ctx context.Context, unless, out string, size int64, progress Progress) (*Result, error) {
	img, err := p.Resolve(ctx)
	if err != nil {
		return nil, err
	}
	if img.digest == unless {
		return nil, nil
	}
	return Convert(ctx, img, out, size, p.Limits, progress)
}

// Import converts an image of the user's files.
func Import(ctx context.Context, source, out string, size int64, limits Limits, progress Progress) (*Result, error) {
	img, closeSource, err := Open(source, limits)
	if err != nil {
		return nil, err
	}
	result, err := Convert(ctx, img, out, size, limits, progress)
	return result, errors.Join(err, closeSource())
}
