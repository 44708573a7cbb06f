package mkext4

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

const (
	flagExtents = 0x80000
	// extraSize is the part of an inode behind its first 128 bytes that has fields; attributes follow.
	extraSize = 32

	extentMagic     = 0xF30A
	extentSize      = 12
	extentsInInode  = 4
	extentsPerBlock = (blockSize - extentSize) / extentSize
	// maxExtent is the longest extent, in blocks; longer counts mean unwritten ones.
	maxExtent = 1 << 15
	// maxLinks of a directory; with more its count is 1 (dir_nlink).
	maxLinks = 65000
)

type extent struct{ logical, start, count uint32 }

// inode is a file as it lies on disk.
type inode struct {
	node  *Node
	size  int64
	flags uint32
	// blocks are those of content, extents and attributes.
	blocks     uint32
	extents    []extent
	block      [60]byte
	attributes []byte
	fileACL    uint32
}

func newInode(n *Node) *inode { return &inode{node: n} }

func (i *inode) addExtent(logical, start, count uint32) {
	i.blocks += count
	if len(i.extents) > 0 {
		last := &i.extents[len(i.extents)-1]
		if last.logical+last.count == logical && last.start+last.count == start && last.count+count <= maxExtent {
			last.count += count
			return
		}
	}
	for ; count > maxExtent; count -= maxExtent {
		i.extents = append(i.extents, extent{logical, start, maxExtent})
		logical, start = logical+maxExtent, start+maxExtent
	}
	i.extents = append(i.extents, extent{logical, start, count})
}

// setDevice stores a device's numbers in the old form where they fit, else in the new one.
func (i *inode) setDevice(major, minor uint32) {
	if major < 256 && minor < 256 {
		binary.LittleEndian.PutUint32(i.block[0:], major<<8|minor)
	} else {
		binary.LittleEndian.PutUint32(i.block[4:], minor&0xFF|major<<8|minor&^0xFF<<12)
	}
}

// pointer is an entry of an extent tree's inner node: where the part of a file from a block on is told of.
type pointer struct{ logical, block uint32 }

// writeExtents puts a file's extents into its inode, or the top of a tree of blocks that has them.
func (w *writer) writeExtents(i *inode) error {
	if len(i.extents) <= extentsInInode {
		putExtents(i.block[:], i.extents, extentsInInode)
		return nil
	}
	var below []pointer
	for leaf := range slices.Chunk(i.extents, extentsPerBlock) {
		if err := w.writeExtentNode(i, &below, leaf[0].logical, func(b []byte) { putExtents(b, leaf, extentsPerBlock) }); err != nil {
			return err
		}
	}
	depth := 1
	for ; len(below) > extentsInInode; depth++ {
		var above []pointer
		for node := range slices.Chunk(below, extentsPerBlock) {
			if err := w.writeExtentNode(i, &above, node[0].logical, func(b []byte) { putPointers(b, node, extentsPerBlock, depth) }); err != nil {
				return err
			}
		}
		below = above
	}
	putPointers(i.block[:], below, extentsInInode, depth)
	return nil
}

// writeExtentNode writes a block of an extent tree, and adds what points to it.
func (w *writer) writeExtentNode(i *inode, pointers *[]pointer, logical uint32, put func(b []byte)) error {
	start, _, err := w.upTo(1)
	if err != nil {
		return err
	}
	i.blocks++
	*pointers = append(*pointers, pointer{logical, start})
	b := make([]byte, blockSize)
	put(b)
	return w.content.writeAt(b, int64(start)*blockSize)
}

func putExtentHeader(b []byte, entries, most, depth int) {
	binary.LittleEndian.PutUint16(b[0:], extentMagic)
	binary.LittleEndian.PutUint16(b[2:], uint16(entries))
	binary.LittleEndian.PutUint16(b[4:], uint16(most))
	binary.LittleEndian.PutUint16(b[6:], uint16(depth))
}

func putExtents(b []byte, extents []extent, most int) {
	putExtentHeader(b, len(extents), most, 0)
	for at, e := range extents {
		entry := b[extentSize*(at+1):]
		binary.LittleEndian.PutUint32(entry[0:], e.logical)
		binary.LittleEndian.PutUint16(entry[4:], uint16(e.count))
		binary.LittleEndian.PutUint32(entry[8:], e.start)
	}
}

func putPointers(b []byte, pointers []pointer, most, depth int) {
	putExtentHeader(b, len(pointers), most, depth)
	for at, p := range pointers {
		entry := b[extentSize*(at+1):]
		binary.LittleEndian.PutUint32(entry[0:], p.logical)
		binary.LittleEndian.PutUint32(entry[4:], p.block)
	}
}

func (w *writer) writeInode(number uint32, i *inode) error {
	n := i.node
	b := make([]byte, inodeSize)
	put16 := func(at int, value uint32) { binary.LittleEndian.PutUint16(b[at:], uint16(value)) }
	put32 := func(at int, value uint32) { binary.LittleEndian.PutUint32(b[at:], value) }
	put16(0x00, n.Mode)
	put16(0x02, n.UID)
	put32(0x04, uint32(i.size))
	put16(0x18, n.GID)
	links := n.links
	if links > maxLinks && n.IsDir() {
		links = 1
	} else if links > maxLinks {
		return fmt.Errorf("it has %d names; %d are possible", links, maxLinks)
	}
	put16(0x1A, uint32(links))
	put32(0x1C, i.blocks*(blockSize/512))
	put32(0x20, i.flags)
	copy(b[0x28:], i.block[:])
	put32(0x68, i.fileACL)
	put32(0x6C, uint32(i.size>>32))
	put16(0x78, n.UID>>16)
	put16(0x7A, n.GID>>16)
	put16(0x80, extraSize)
	seconds, extra := timestamp(n.Mtime)
	// access, change, modification, creation, each with its part behind the first 128 bytes
	for _, at := range [][2]int{{0x08, 0x8C}, {0x0C, 0x84}, {0x10, 0x88}, {0x90, 0x94}} {
		put32(at[0], seconds)
		put32(at[1], extra)
	}
	copy(b[128+extraSize:], i.attributes)
	table := w.inodeTables[(number-1)/w.inodesPerGroup]
	return w.table.writeAt(b, int64(table)*blockSize+int64((number-1)%w.inodesPerGroup)*inodeSize)
}

// timestamp is seconds, and nanoseconds with two more bits of seconds below them: times from 1901 to 2446.
func timestamp(t time.Time) (seconds, extra uint32) {
	if t.IsZero() {
		return 0, 0
	}
	const first, last = -1 << 31, 1<<34 - 1<<31 - 1
	s := min(max(t.Unix(), first), last)
	epoch := uint32((s-int64(int32(s)))>>32) & 3
	return uint32(s), uint32(t.Nanosecond())<<2 | epoch
}
