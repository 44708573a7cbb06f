package mkext4

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Options of a file system.
type Options struct {
	// Size is what it has at least, in bytes, in blocks of 4 KiB; more, in groups of 128 MiB, when its content needs more. 0 is one group.
	Size int64
	// Grown is the size that it will be grown to, if more: what its journal, which does not grow, is made for.
	Grown int64
	// UUID names it. The same for the same content keeps the file reproducible.
	UUID [16]byte
	// Time of its making, and of lost+found.
	Time time.Time
	// Room is asked, where there is one, before anything is written: with how many bytes that will be at most.
	Room func(atMost int64) error
}

// Output is where a file system is written: an empty, regular file.
type Output interface {
	io.WriterAt
	Truncate(size int64) error
}

// writer writes one tree.
type writer struct {
	*layout
	Options
	// content and inodes are each written from front to back, beside each other.
	content, table *coalescer
	inodes         uint32
	rootNumbered   bool
	blocks         int64
	directories    []uint32
	usedInodes     []uint32
	journalBlocks  uint32
	// journal is its inode's map of blocks.
	journal []byte
	chunk   []byte
}

// journalBlocks is mke2fs's choice, halved: guests of one developer write little at a time. 1024 is the least.
func journalBlocks(size int64) uint32 { return uint32(min(8192, max(1024, size/groupSize*256))) }

// Write writes the tree below root. The nodes may be used once.
func Write(out Output, root *Node, options Options) error {
	if !root.IsDir() {
		return fmt.Errorf("the root is not a directory")
	}
	w := &writer{Options: options, inodes: firstInode - 1, chunk: make([]byte, 1<<20)}
	if root.Children["lost+found"] == nil {
		root.Children["lost+found"] = Dir(0o700, options.Time)
	}
	if err := w.enumerate("/", root, 0); err != nil {
		return err
	}
	w.journalBlocks = journalBlocks(max(options.Size, options.Grown))
	var err error
	if w.layout, err = newLayout(options.Size, w.inodes, w.blocks+int64(w.journalBlocks)+1); err != nil {
		return err
	}
	if options.Room != nil {
		if err := options.Room(w.blocks*blockSize + int64(w.inodes)*inodeSize); err != nil {
			return err
		}
	}
	w.directories, w.usedInodes = make([]uint32, w.groups), make([]uint32, w.groups)
	w.content, w.table = &coalescer{out: out, unit: blockSize}, &coalescer{out: out, unit: inodeSize}
	// The reserved ones but the root, which is counted as the directory it is.
	w.usedInodes[0] = firstInode - 2
	if err := out.Truncate(int64(w.total) * blockSize); err != nil {
		return err
	}
	if err := w.writeJournal(); err != nil {
		return err
	}
	if err := w.writeTree("/", root, root); err != nil {
		return err
	}
	if err := w.writeBitmaps(); err != nil {
		return err
	}
	if err := w.table.flush(); err != nil {
		return err
	}
	if err := w.content.flush(); err != nil {
		return err
	}
	return w.writeSuperblocks(out)
}

// nextInode numbers files in the order in which they are met; the root's number is fixed.
func (w *writer) nextInode() uint32 {
	if w.inodes == firstInode-1 && !w.rootNumbered {
		w.rootNumbered = true
		return rootInode
	}
	w.inodes++
	return w.inodes
}

func (w *writer) countInode(number uint32, directory bool) {
	group := (number - 1) / w.inodesPerGroup
	w.usedInodes[group]++
	if directory {
		w.directories[group]++
	}
}

// writeTree writes a file once, under its first name, and what lies below it.
func (w *writer) writeTree(path string, n, parent *Node) error {
	if n.written {
		return nil
	}
	n.written = true
	if err := w.writeNode(n, parent); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range n.names() {
		if err := w.writeTree(join(path, name), n.Children[name], n); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) writeNode(n, parent *Node) error {
	i := newInode(n)
	var err error
	switch n.Type() {
	case TypeRegular:
		err = w.writeContent(i, n)
	case TypeDir:
		err = w.writeRun(i, directoryBlocks(n, parent))
	case TypeSymlink:
		if len(n.Link) < len(i.block) {
			copy(i.block[:], n.Link)
			i.size = int64(len(n.Link))
		} else {
			err = w.writeRun(i, []byte(n.Link))
		}
	case TypeChar, TypeBlock:
		i.setDevice(n.Major, n.Minor)
	}
	if err == nil {
		err = w.writeXattrs(i, n.Xattrs)
	}
	if err != nil {
		return err
	}
	w.countInode(n.number, n.IsDir())
	return w.writeInode(n.number, i)
}

// Sparse content knows where its holes end.
type Sparse interface {
	io.ReaderAt
	// NextData gives the first offset from there on that may not be zero.
	NextData(from int64) (int64, error)
}

// skip goes over the hole at a place of a file, in whole blocks.
func (n *Node) skip(at int64) (int64, error) {
	content, ok := n.Content.(Sparse)
	if !ok {
		return at, nil
	}
	next, err := content.NextData(n.Offset + at)
	return max(at, min((next-n.Offset)/blockSize*blockSize, n.Size)), err
}

// writeContent copies a file. Blocks of zeros become holes.
func (w *writer) writeContent(i *inode, n *Node) error {
	i.flags, i.size = flagExtents, n.Size
	for at := int64(0); at < n.Size; {
		chunk := w.chunk[:min(int64(len(w.chunk)), n.Size-at)]
		empty := true
		if _, err := io.ReadFull(io.NewSectionReader(n.Content, n.Offset+at, int64(len(chunk))), chunk); err != nil {
			return fmt.Errorf("read its content: %w", err)
		}
		for done := 0; done < len(chunk); {
			data := chunk[done:]
			run := dataBlocks(data) * blockSize
			if run == 0 {
				done += blockSize
				continue
			}
			empty = false
			data = data[:min(run, len(data))]
			if err := w.place(i, uint32((at+int64(done))/blockSize), data); err != nil {
				return err
			}
			done += len(data)
		}
		at += int64(len(chunk))
		if !empty {
			continue
		}
		var err error
		if at, err = n.skip(at); err != nil {
			return fmt.Errorf("look for its content: %w", err)
		}
	}
	return w.writeExtents(i)
}

// dataBlocks counts the blocks before the first that is all zeros.
func dataBlocks(data []byte) int {
	blocks := 0
	for len(data) > 0 {
		block := data[:min(blockSize, len(data))]
		if isZero(block) {
			break
		}
		blocks++
		data = data[len(block):]
	}
	return blocks
}

// writeRun writes what has no holes: directories and long links.
func (w *writer) writeRun(i *inode, data []byte) error {
	i.flags, i.size = flagExtents, int64(len(data))
	if err := w.place(i, 0, data); err != nil {
		return err
	}
	return w.writeExtents(i)
}

// place writes data at a file's block, in as many extents as there are gaps in its way.
func (w *writer) place(i *inode, logical uint32, data []byte) error {
	for len(data) > 0 {
		start, count, err := w.upTo(uint32((len(data) + blockSize - 1) / blockSize))
		if err != nil {
			return err
		}
		piece := data[:min(int(count)*blockSize, len(data))]
		if err := w.content.writeAt(piece, int64(start)*blockSize); err != nil {
			return err
		}
		i.addExtent(logical, start, count)
		logical += count
		data = data[len(piece):]
	}
	return nil
}

// writeJournal makes the journal that a first mount needs: its superblock, and zeros.
func (w *writer) writeJournal() error {
	blocks := w.journalBlocks
	i := newInode(&Node{Mode: TypeRegular | 0o600, Mtime: w.Time, links: 1})
	i.flags, i.size = flagExtents, int64(blocks)*blockSize
	super := make([]byte, blockSize)
	for at, value := range map[int]uint32{
		0x00: 0xC03B3998, // magic
		0x04: 4,          // a superblock, version 2
		0x0C: blockSize,
		0x10: blocks,
		0x14: 1, // first block of the log
		0x18: 1, // first commit expected
		0x40: 1, // users
	} {
		binary.BigEndian.PutUint32(super[at:], value)
	}
	copy(super[0x30:], w.UUID[:])
	for logical := uint32(0); logical < blocks; {
		start, count, err := w.upTo(blocks - logical)
		if err != nil {
			return err
		}
		if logical == 0 {
			if err := w.content.writeAt(super, int64(start)*blockSize); err != nil {
				return err
			}
		}
		i.addExtent(logical, start, count)
		logical += count
	}
	if err := w.writeExtents(i); err != nil {
		return err
	}
	w.journal = append([]byte(nil), i.block[:]...)
	return w.writeInode(journalInode, i)
}
