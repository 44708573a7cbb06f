package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"banger.dev/native/internal/room"
)

// The head of a dm-snapshot's persistent COW device, in its first chunk (drivers/md/dm-snap-persistent.c), little-endian.
const (
	snapMagic   = 0x70416e53 // "SnAp"
	snapVersion = 1
	sector      = 512
	// An exception: the chunk of the origin, and the chunk of the COW device that stands for it, 8 bytes each.
	exceptionSize = 16
)

// Merge makes a new file of a snapshot's origin with what its COW file says otherwise: what the snapshot's device would read as.
// The kernel alone writes the tables of a COW file; a guest's writes are in its data chunks. Nothing may be using the snapshot.
func Merge(origin, cow *os.File, path string, reserve room.Reserve) (Copied, error) {
	return create(path, func(target *os.File, sum hash.Hash) (int64, error) {
		out, sources := reserve.Keep(target), []*os.File{cow}
		cloned := clone(target, origin)
		if !cloned {
			sources = append(sources, origin)
		}
		if err := roomFor(reserve, target, sources...); err != nil {
			return 0, err
		}
		if !cloned {
			if _, err := eachBlock(origin, 0, func(at int64, data []byte) error {
				_, err := out.WriteAt(data, at)
				return err
			}); err != nil {
				return 0, err
			}
		}
		info, err := origin.Stat()
		if err != nil {
			return 0, err
		}
		if err := target.Truncate(info.Size()); err != nil {
			return 0, err
		}
		if err := overlay(out, cow, info.Size()); err != nil {
			return 0, err
		}
		return eachBlock(target, 0, func(at int64, data []byte) error {
			hashBlock(sum, at, data)
			return nil
		})
	})
}

// overlay writes every chunk of the COW file over what it stands for.
func overlay(target *room.File, cow *os.File, size int64) error {
	head := make([]byte, 16)
	if _, err := cow.ReadAt(head, 0); err != nil {
		return fmt.Errorf("read the snapshot's head: %w", err)
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(head[4*i:]) }
	if field(0) == 0 {
		return nil // no VM ever ran from it
	}
	if field(0) != snapMagic || field(2) != snapVersion {
		return errors.New("the COW file is none of a dm-snapshot")
	}
	if field(1) != 1 {
		return errors.New("the kernel has declared the snapshot invalid: it was full, or could not be written")
	}
	chunk := int64(field(3)) * sector
	if chunk < sector || chunk > 1<<20 {
		return fmt.Errorf("the snapshot has chunks of %d bytes", chunk)
	}
	r := run{target: target, cow: cow, chunk: chunk, size: size}
	table := make([]byte, chunk)
	// The head, then tables, each followed by the chunks that it speaks of.
	for area := int64(1); ; area += chunk/exceptionSize + 1 {
		if _, err := cow.ReadAt(table, area*chunk); err != nil {
			return fmt.Errorf("read a table of the snapshot: %w", err)
		}
		for at := int64(0); at < chunk; at += exceptionSize {
			old, now := int64(binary.LittleEndian.Uint64(table[at:])), int64(binary.LittleEndian.Uint64(table[at+8:]))
			if now == 0 {
				return r.flush() // the last table ends here
			}
			if err := r.add(old, now); err != nil {
				return err
			}
		}
	}
}

// run gathers neighbours: a guest writes most of its blocks one after the other.
type run struct {
	target           *room.File
	cow              *os.File
	chunk, size      int64
	old, now, chunks int64
}

func (r *run) add(old, now int64) error {
	if r.chunks > 0 && old == r.old+r.chunks && now == r.now+r.chunks {
		r.chunks++
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	if old < 0 || old >= (r.size+r.chunk-1)/r.chunk {
		return fmt.Errorf("the snapshot speaks of chunk %d, beyond its origin", old)
	}
	r.old, r.now, r.chunks = old, now, 1
	return nil
}

func (r *run) flush() error {
	from, to := r.now*r.chunk, r.old*r.chunk
	length := min(r.chunks*r.chunk, r.size-to)
	r.chunks = 0
	if length <= 0 {
		return nil
	}
	_, err := io.Copy(io.NewOffsetWriter(r.target, to), io.NewSectionReader(r.cow, from, length))
	if err != nil {
		return fmt.Errorf("copy what the snapshot holds: %w", err)
	}
	return nil
}
