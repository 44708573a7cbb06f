package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"time"

	"banger.dev/native/internal/mkext4"
	"banger.dev/native/internal/room"
)

const (
	// leastEmpty has room for a journal and the tables of a group.
	leastEmpty = 16 << 20
	// odd is the size beyond which a file system ends with a whole group of 128 MiB: the copies of its descriptors would not fit into less.
	odd, group = 1 << 40, 128 << 20
)

// Empty writes an ext4 with nothing in it, and with nothing left to be initialised in a guest: its tables are holes. It takes the file's
// mode from the umask, and its blocks, a few a GiB, are the same for the same size.
func Empty(path string, bytes int64, reserve room.Reserve) (err error) {
	if bytes < leastEmpty {
		return errors.New("16 MiB is the least that an empty file system has")
	}
	target, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, target.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	size := bytes
	if size > odd {
		size = min(size/group*group, mkext4.MaxSize)
	}
	named := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("empty"), uint64(bytes)))
	root := mkext4.Dir(0o755, time.Unix(0, 0))
	if err := mkext4.Write(reserve.Keep(target), root, mkext4.Options{Size: size, UUID: [16]byte(named[:16]), Time: time.Unix(0, 0)}); err != nil {
		return err
	}
	if err := target.Truncate(bytes); err != nil {
		return err
	}
	return target.Sync()
}
