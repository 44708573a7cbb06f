package agent

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

type frameType byte

const (
	frameStart  frameType = 0x01
	frameStdin  frameType = 0x02
	frameSignal frameType = 0x03
	frameSize   frameType = 0x04

	frameStarted frameType = 0x10
	frameStdout  frameType = 0x11
	frameStderr  frameType = 0x12
	frameExit    frameType = 0x13
)

const (
	// frameHeader is one byte of type and four of length, big endian.
	frameHeader = 5
	maxPayload  = 1 << 20
)

// readFrame reads one frame. The length is checked before anything is allocated for it.
func readFrame(r io.Reader) (frameType, []byte, error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(header[1:])
	if n > maxPayload {
		return 0, nil, fmt.Errorf("frame %#02x of %d bytes: at most %d are allowed", header[0], n, maxPayload)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("frame %#02x is cut short: %w", header[0], err)
	}
	return frameType(header[0]), payload, nil
}

// frameWriter lets several writers share a stream; each waits for the one before it, so a slow host slows the command down.
type frameWriter struct {
	mu   sync.Mutex
	w    net.Conn
	done bool
}

// abandon frees a writer that waits for a host which has gone.
func (f *frameWriter) abandon() { _ = f.w.SetWriteDeadline(time.Now()) }

// writeFramed sends buf, whose first frameHeader bytes are room for the header. After a failure
// everything is discarded: the command may then still run to its end.
func (f *frameWriter) writeFramed(t frameType, buf []byte) {
	buf[0] = byte(t)
	binary.BigEndian.PutUint32(buf[1:], uint32(len(buf)-frameHeader))
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return
	}
	_, err := f.w.Write(buf)
	// Nothing follows an exit, not even word of input that is thrown away after it.
	f.done = err != nil || t == frameExit
}

func (f *frameWriter) writeJSON(t frameType, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("frame %#02x: %v", t, err)) // our own plain structs
	}
	f.writeFramed(t, append(make([]byte, frameHeader), text...))
}
