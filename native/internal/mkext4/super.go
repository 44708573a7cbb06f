package mkext4

import (
	"bytes"
	"encoding/binary"
)

// Features that a kernel must know to use the file system, to write to it, or at all.
const (
	compatible   = 0x4 /* has_journal */ | 0x8 /* ext_attr */ | 0x20                                                 /* dir_index */
	incompatible = 0x2 /* filetype */ | 0x40 /* extents */ | 0x200                                                   /* flex_bg */
	readOnly     = 0x1 /* sparse_super */ | 0x2 /* large_file */ | 0x8 /* huge_file */ | 0x20 /* dir_nlink */ | 0x40 /* extra_isize */
)

// superblock is the one of a group; the copies differ in the group's number.
func (w *writer) superblock(group uint32) []byte {
	b := make([]byte, 1024)
	put16 := func(at int, value uint32) { binary.LittleEndian.PutUint16(b[at:], uint16(value)) }
	put32 := func(at int, value uint32) { binary.LittleEndian.PutUint32(b[at:], value) }
	used := uint32(0)
	for _, count := range w.usedInodes {
		used += count
	}
	seconds := uint32(w.Time.Unix())
	put32(0x00, w.groups*w.inodesPerGroup)
	put32(0x04, w.total)
	put32(0x0C, uint32(w.free()))
	put32(0x10, w.groups*w.inodesPerGroup-used)
	put32(0x18, 2) // blocks of 1024 << 2
	put32(0x1C, 2) // clusters are blocks
	put32(0x20, blocksPerGroup)
	put32(0x24, blocksPerGroup)
	put32(0x28, w.inodesPerGroup)
	put32(0x30, seconds) // last write
	put16(0x36, 0xFFFF)  // no check after so many mounts
	put16(0x38, 0xEF53)
	put16(0x3A, 1)       // clean
	put16(0x3C, 1)       // go on after errors
	put32(0x40, seconds) // last check
	put32(0x4C, 1)       // revision with features
	put32(0x54, firstInode)
	put16(0x58, inodeSize)
	put16(0x5A, group)
	put32(0x5C, compatible)
	put32(0x60, incompatible)
	put32(0x64, readOnly)
	copy(b[0x68:], w.UUID[:])
	put32(0xE0, journalInode)
	copy(b[0xEC:], w.UUID[:]) // seed of directory hashes
	b[0xFC] = 1               // half MD4
	b[0xFD] = 1               // the journal's inode is kept below, too
	put32(0x100, 0xC)         // mount with user_xattr and acl
	put32(0x108, seconds)     // made
	copy(b[0x10C:], w.journal)
	put32(0x10C+64, w.journalBlocks*blockSize)
	put16(0x15C, extraSize)
	put16(0x15E, extraSize)
	put32(0x160, 1) // directory hashes of signed characters
	b[0x174] = 4    // 16 groups make a flexible one
	return b
}

func (w *writer) descriptors() []byte {
	all := make([]byte, w.descriptorBlocks*blockSize)
	for g := range w.groups {
		b := all[g*descriptorSize:]
		binary.LittleEndian.PutUint32(b[0:], w.blockBitmaps[g])
		binary.LittleEndian.PutUint32(b[4:], w.inodeBitmaps[g])
		binary.LittleEndian.PutUint32(b[8:], w.inodeTables[g])
		binary.LittleEndian.PutUint16(b[12:], uint16(w.freeIn(g)))
		binary.LittleEndian.PutUint16(b[14:], uint16(w.inodesPerGroup-w.usedInodes[g]))
		binary.LittleEndian.PutUint16(b[16:], uint16(w.directories[g]))
	}
	return all
}

// writeSuperblocks comes last: a file whose writing was interrupted is no file system.
func (w *writer) writeSuperblocks(out Output) error {
	descriptors := w.descriptors()
	for g := w.groups; g > 0; {
		g--
		if !hasBackup(g) {
			continue
		}
		first := int64(g) * groupSize
		if _, err := out.WriteAt(descriptors, first+blockSize); err != nil {
			return err
		}
		// The first 1024 bytes of the disk are for a boot loader.
		if g == 0 {
			first = 1024
		}
		if _, err := out.WriteAt(w.superblock(g), first); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) writeBitmaps() error {
	inodes := w.inodes
	for g := range w.groups {
		if bitmap := w.blockBitmap(g); bitmap != nil {
			if err := w.table.writeAt(bitmap, int64(w.blockBitmaps[g])*blockSize); err != nil {
				return err
			}
		}
		// Inodes are used in order; bits beyond the group's inodes are set.
		here := min(inodes, w.inodesPerGroup)
		inodes -= here
		bitmap := bytes.Repeat([]byte{0xFF}, blockSize)
		for i := here; i < w.inodesPerGroup; i++ {
			bitmap[i/8] &^= 1 << (i % 8)
		}
		if err := w.table.writeAt(bitmap, int64(w.inodeBitmaps[g])*blockSize); err != nil {
			return err
		}
	}
	return nil
}
