// Package store copies files into root's image store.
package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
)

// block is the unit in which zeros become holes, and of the digest.
const block = 64 << 10

var zeros [block]byte

// Copied says what the copy is.
type Copied struct {
	// Digest is the sha256 of every block that is not all zeros, each behind its offset, and of the size: holes cost nothing,
	// and a file has one digest however its holes lie.
	Digest string `json:"digest"`
	Bytes  int64  `json:"bytes"`
}

// Copy makes a new file of an open one, at least `size` bytes long: shared with it where the file system can, else without its holes
// and zeros. The file's owner may write to it all the while: what is hashed is what the copy holds.
func Copy(source *os.File, path string, size int64, reserve room.Reserve) (Copied, error) {
	return create(path, func(target *os.File, sum hash.Hash) (int64, error) {
		from, write := source, reserve.Keep(target)
		if clone(target, source) {
			from, write = target, nil
		} else if err := roomFor(reserve, target, source); err != nil {
			return 0, err
		}
		return eachBlock(from, size, func(at int64, data []byte) error {
			hashBlock(sum, at, data)
			if write == nil {
				return nil
			}
			_, err := write.WriteAt(data, at)
			return err
		})
	})
}

// roomFor asks for what the sources take on the disk.
func roomFor(reserve room.Reserve, target *os.File, sources ...*os.File) error {
	wanted := int64(0)
	for _, source := range sources {
		var stat unix.Stat_t
		if err := unix.Fstat(int(source.Fd()), &stat); err != nil {
			return err
		}
		wanted += stat.Blocks * 512
	}
	return reserve.For(target, wanted)
}

// clone shares the blocks of a file, where the file system can.
func clone(target, source *os.File) bool {
	return unix.IoctlFileClone(int(target.Fd()), int(source.Fd())) == nil
}

// create makes a file that `fill` writes, hashes and gives the size of. Readable for all, since VMs of any uid boot from it;
// writable for nobody.
func create(path string, fill func(*os.File, hash.Hash) (int64, error)) (copied Copied, err error) {
	target, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return copied, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	sum := sha256.New()
	size, err := fill(target, sum)
	if err != nil {
		return copied, err
	}
	if err := target.Truncate(size); err != nil {
		return copied, err
	}
	if err := target.Chmod(0o444); err != nil {
		return copied, err
	}
	if err := target.Sync(); err != nil {
		return copied, err
	}
	binary.Write(sum, binary.LittleEndian, size)
	return Copied{hex.EncodeToString(sum.Sum(nil)), size}, nil
}

func hashBlock(sum hash.Hash, at int64, data []byte) {
	binary.Write(sum, binary.LittleEndian, at)
	sum.Write(data)
}

// eachBlock visits the blocks that are not all zeros, and gives the size: at least so many bytes. Where a file is to be longer than
// it is, its last block has the zeros that follow, so that it has the digest of one that was so long from the start.
func eachBlock(f *os.File, least int64, visit func(at int64, data []byte) error) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size, whole := info.Size(), max(info.Size(), least)
	buffer := make([]byte, 16*block)
	for at := int64(0); at < size; {
		begin, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			break // only a hole follows
		}
		if err != nil {
			return 0, fmt.Errorf("seek data: %w", err)
		}
		end, err := unix.Seek(int(f.Fd()), begin, unix.SEEK_HOLE)
		if err != nil {
			return 0, fmt.Errorf("seek hole: %w", err)
		}
		// Whole blocks, also where the file system keeps smaller holes.
		at = max(at, begin/block*block)
		for end = min(size, (end+block-1)/block*block); at < end; {
			data := buffer[:min(int64(len(buffer)), end-at)]
			if _, err := io.ReadFull(io.NewSectionReader(f, at, int64(len(data))), data); err != nil {
				return 0, fmt.Errorf("read: %w", err)
			}
			for len(data) > 0 {
				piece := data[:min(block, len(data))]
				data = data[len(piece):]
				if !bytes.Equal(piece, zeros[:len(piece)]) {
					if err := visit(at, filled(piece, whole-at)); err != nil {
						return 0, err
					}
				}
				at += int64(len(piece))
			}
		}
	}
	return whole, nil
}

// filled is a block with the zeros that follow it in a file of which so much is left.
func filled(piece []byte, left int64) []byte {
	if missing := min(block, left) - int64(len(piece)); missing > 0 {
		return append(bytes.Clone(piece), zeros[:missing]...)
	}
	return piece
}

// Extents lists where a file is not all zeros, as offset and length, and gives its size.
func Extents(f *os.File) (extents [][2]int64, size int64, err error) {
	size, err = eachBlock(f, 0, func(at int64, data []byte) error {
		if last := len(extents) - 1; last >= 0 && extents[last][0]+extents[last][1] == at {
			extents[last][1] += int64(len(data))
		} else {
			extents = append(extents, [2]int64{at, int64(len(data))})
		}
		return nil
	})
	return extents, size, err
}
