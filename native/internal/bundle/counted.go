package bundle

import (
	"hash"
	"io"
)

// counted passes bytes on, and knows how many they were and their digest.
type counted struct {
	w     io.Writer
	sum   hash.Hash
	bytes int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.sum.Write(b[:n])
	c.bytes += int64(n)
	return n, err
}
