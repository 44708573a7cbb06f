package oci

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// decompress tells by the first bytes how a stream is compressed; anything else is taken as it is.
func decompress(r *bufio.Reader) (io.Reader, func(), error) {
	head, err := r.Peek(6)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	nothing := func() {}
	switch {
	case bytes.HasPrefix(head, []byte{0x1F, 0x8B}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, err
		}
		return z, nothing, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xB5, 0x2F, 0xFD}):
		// A window of 64 MiB is more than any builder of images uses.
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case bytes.HasPrefix(head, []byte("\xFD7zXZ\x00")):
		z, err := xz.NewReader(r, xz.DefaultDictMax)
		return z, nothing, err
	case bytes.HasPrefix(head, []byte("BZh")):
		return bzip2.NewReader(r), nothing, nil
	}
	return r, nothing, nil
}

// damaged says what broken archives have in common: neither their source has failed, nor this host, and no limit is reached. A
// source that has failed is the cause of what a decompressor, which reads ahead, says of it.
func damaged(err, source error) error {
	if known(err) {
		return err
	}
	if source != nil {
		return source
	}
	return fault(BadLayer, "it is cut off or damaged (%v)", err)
}

// counter knows how much it has read, and what ended it before its end.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// bombGuard ends what unpacks to far more than it is.
type bombGuard struct {
	r      io.Reader
	n      int64
	packed *counter
	limits Limits
}

func (g *bombGuard) Read(b []byte) (int, error) {
	n, err := g.r.Read(b)
	g.n += int64(n)
	if g.n > g.limits.Bomb && g.n > g.packed.n*g.limits.Ratio {
		return n, fault(TooLarge, "it unpacks to more than %d MiB, over %d times what it is: a decompression bomb?", g.limits.Bomb>>20, g.limits.Ratio)
	}
	return n, err
}
