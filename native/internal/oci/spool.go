package oci

import (
	"bytes"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/room"
)

// spool keeps the content of a layer's files, one after the other, until it is known which of them the image shows. It has no
// name on disk: nothing of it outlives the process.
type spool struct {
	file   *room.File
	size   int64
	buffer []byte
}

// hole is the unit in which zeros become holes.
const hole = 64 << 10

var zeros [hole]byte

func newSpool(directory string, reserve room.Reserve) (*spool, error) {
	file, err := nameless(directory)
	if err != nil {
		return nil, err
	}
	return &spool{file: reserve.Keep(file), buffer: make([]byte, 0, 1<<20)}, nil
}

// nameless is a file that is gone with the process, killed or not; where the file system has no such files, but for a moment.
func nameless(directory string) (*os.File, error) {
	file, err := os.OpenFile(directory, unix.O_TMPFILE|os.O_RDWR, 0o600)
	if err == nil || !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) {
		return file, err
	}
	if file, err = os.CreateTemp(directory, ".spool-*"); err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}

// add copies size bytes and tells where they begin.
func (s *spool) add(content io.Reader, size int64) (int64, error) {
	start := s.size + int64(len(s.buffer))
	for left := size; left > 0; {
		if len(s.buffer) == cap(s.buffer) {
			if err := s.flush(); err != nil {
				return 0, err
			}
		}
		room := s.buffer[len(s.buffer):cap(s.buffer)]
		n, err := io.ReadFull(content, room[:min(int64(len(room)), left)])
		s.buffer = s.buffer[:len(s.buffer)+n]
		left -= int64(n)
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	return start, nil
}

func (s *spool) flush() error {
	for at := 0; at < len(s.buffer); at += hole {
		piece := s.buffer[at:min(at+hole, len(s.buffer))]
		if bytes.Equal(piece, zeros[:len(piece)]) {
			continue
		}
		if _, err := s.file.WriteAt(piece, s.size+int64(at)); err != nil {
			return err
		}
	}
	s.size += int64(len(s.buffer))
	s.buffer = s.buffer[:0]
	return nil
}

// finish makes everything readable, holes at the end included.
func (s *spool) finish() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.buffer = nil
	return s.file.Truncate(s.size)
}

// allocated is what the spool takes on the disk, in bytes.
func (s *spool) allocated() (int64, error) {
	var stat unix.Stat_t
	err := unix.Fstat(int(s.file.Fd()), &stat)
	return stat.Blocks * 512, err
}

func (s *spool) ReadAt(b []byte, at int64) (int, error) { return s.file.ReadAt(b, at) }

// NextData goes over what was never written.
func (s *spool) NextData(from int64) (int64, error) {
	next, err := unix.Seek(int(s.file.Fd()), from, unix.SEEK_DATA)
	if err == unix.ENXIO {
		return s.size, nil
	}
	return next, err
}

func (s *spool) Close() error { return s.file.Close() }
