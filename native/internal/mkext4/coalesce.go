package mkext4

import (
	"bytes"
	"io"
)

// coalescer makes few large writes of many small ones that follow one another.
type coalescer struct {
	out io.WriterAt
	// unit is where what follows begins: writes are filled up to it with zeros.
	unit   int
	start  int64
	buffer []byte
}

const coalesced = 1 << 20

func (c *coalescer) writeAt(data []byte, at int64) error {
	if at != c.start+int64(len(c.buffer)) || len(c.buffer)+len(data) > coalesced {
		if err := c.flush(); err != nil {
			return err
		}
		c.start = at
	}
	c.buffer = append(c.buffer, data...)
	if rest := len(c.buffer) % c.unit; rest != 0 {
		c.buffer = append(c.buffer, make([]byte, c.unit-rest)...)
	}
	return nil
}

func (c *coalescer) flush() error {
	if len(c.buffer) == 0 {
		return nil
	}
	_, err := c.out.WriteAt(c.buffer, c.start)
	c.buffer = c.buffer[:0]
	return err
}

var zeros [blockSize]byte

func isZero(block []byte) bool { return bytes.Equal(block, zeros[:len(block)]) }
