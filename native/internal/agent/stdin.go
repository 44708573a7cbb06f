package agent

import (
	"encoding/binary"
	"os"
	"sync"
)

// stdinWindow is how much standard input may wait for its command, in bytes.
const stdinWindow = 1 << 20

// frameTaken counts bytes of standard input that the command's pipe has accepted.
const frameTaken frameType = 0x14

// endOfTransmission is what a terminal's line discipline takes for end of file.
const endOfTransmission = 4

// stdinQueue stands between the stream and the command, so that a command which does not read its input
// keeps neither signals nor the end of the stream from being seen.
type stdinQueue struct {
	to    *os.File
	tty   bool
	acks  *frameWriter
	mu    sync.Mutex
	moved sync.Cond

	waiting [][]byte
	size    int
	closed  bool
}

func newStdinQueue(to *os.File, tty bool, acks *frameWriter) *stdinQueue {
	q := &stdinQueue{to: to, tty: tty, acks: acks}
	q.moved.L = &q.mu
	return q
}

// put blocks only for a host that does not keep to the window.
func (q *stdinQueue) put(chunk []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.size >= stdinWindow && !q.closed {
		q.moved.Wait()
	}
	q.waiting = append(q.waiting, chunk)
	q.size += len(chunk)
	q.moved.Broadcast()
}

// close ends feed, whatever still waits.
func (q *stdinQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.moved.Broadcast()
	q.mu.Unlock()
	q.to.Close()
}

func (q *stdinQueue) next() ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.moved.Wait()
	}
	if q.closed {
		return nil, false
	}
	chunk := q.waiting[0]
	q.waiting = q.waiting[1:]
	return chunk, true
}

// feed writes what waits until the queue is closed. A command that reads no more must not stall the host, so what it
// does not take counts as taken.
func (q *stdinQueue) feed() {
	for {
		chunk, ok := q.next()
		if !ok {
			return
		}
		switch {
		case len(chunk) > 0:
			_, _ = q.to.Write(chunk)
		case q.tty:
			_, _ = q.to.Write([]byte{endOfTransmission})
		default:
			q.to.Close()
		}
		q.mu.Lock()
		q.size -= len(chunk)
		q.moved.Broadcast()
		q.mu.Unlock()
		if q.acks != nil && len(chunk) > 0 {
			q.acks.writeFramed(frameTaken, binary.BigEndian.AppendUint32(make([]byte, frameHeader), uint32(len(chunk))))
		}
	}
}
