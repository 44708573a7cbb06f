package bundle

import (
	"fmt"
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

// counter knows how much it has read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// guard ends what unpacks to far more than it is.
type guard struct {
	r      io.Reader
	n      int64
	packed *counter
}

func (g *guard) Read(b []byte) (int, error) {
	n, err := g.r.Read(b)
	g.n += int64(n)
	if g.n > bomb && g.n > g.packed.n*maxRatio {
		return n, fmt.Errorf("it unpacks to more than %d MiB, over %d times what it is: a decompression bomb?", bomb>>20, maxRatio)
	}
	return n, err
}
