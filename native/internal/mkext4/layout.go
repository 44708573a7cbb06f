package mkext4

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

const (
	blockSize      = 4096
	blocksPerGroup = 8 * blockSize
	groupSize      = blocksPerGroup * blockSize
	inodeSize      = 256
	inodesPerBlock = blockSize / inodeSize
	// bytesPerInode is mke2fs's ratio for ordinary file systems.
	bytesPerInode  = 16384
	maxInodes      = 8 * blockSize // of one group: its bitmap is one block
	descriptorSize = 32
	// maxGroups keeps block numbers in 32 bits: almost 16 TiB.
	maxGroups = 1<<17 - 1

	// MaxSize is the largest file system, in bytes.
	MaxSize = maxGroups * groupSize

	rootInode    = 2
	journalInode = 8
	// firstInode is the first that is not reserved.
	firstInode = 11
)

// layout says where things lie: block 0 has the superblock, then come the group descriptors, the bitmaps and inode tables of
// all groups (flex_bg allows that), then content. Some groups begin with a copy of superblock and descriptors.
type layout struct {
	groups uint32
	// total is how many blocks there are: the last group may be shorter than the others.
	total            uint32
	inodesPerGroup   uint32
	descriptorBlocks uint32
	// used has a bit for each block of a group; a group of which none is used may have no bits yet.
	used [][]uint64
	// next is where the search for free blocks goes on. Nothing is ever freed.
	next         uint32
	blockBitmaps []uint32
	inodeBitmaps []uint32
	inodeTables  []uint32
}

// newLayout makes room for so many inodes and blocks of content, in at least size bytes. More than that is whole groups.
func newLayout(size int64, inodes uint32, blocks int64) (*layout, error) {
	if size > MaxSize {
		return nil, fmt.Errorf("a file system of %d GiB was asked for; %d GiB are possible", size>>30, int64(MaxSize)>>30)
	}
	total := max(1, (size+blockSize-1)/blockSize)
	if size <= 0 {
		total = blocksPerGroup
	}
	groups := (total + blocksPerGroup - 1) / blocksPerGroup
	for ; groups <= maxGroups; groups += max(1, groups/16) {
		perGroup := int64(groupSize / bytesPerInode)
		if need := (int64(inodes) + groups - 1) / groups; need > perGroup {
			perGroup = (need + inodesPerBlock - 1) / inodesPerBlock * inodesPerBlock
		}
		l := &layout{groups: uint32(groups), total: uint32(total), inodesPerGroup: uint32(perGroup)}
		l.descriptorBlocks = uint32((groups*descriptorSize + blockSize - 1) / blockSize)
		if perGroup <= maxInodes && l.place() == nil && l.free() >= blocks {
			return l, nil
		}
		total = (groups + max(1, groups/16)) * blocksPerGroup
	}
	return nil, fmt.Errorf("the content needs %d MiB and %d inodes: too much for one file system", blocks*blockSize>>20, inodes)
}

// place reserves everything that is not content.
func (l *layout) place() error {
	l.used = make([][]uint64, l.groups)
	last := l.groups - 1
	if end := last*blocksPerGroup + 1 + l.descriptorBlocks; hasBackup(last) && end > l.total {
		return fmt.Errorf("the last group is too short for its superblock")
	}
	for g := range l.groups {
		if hasBackup(g) {
			l.mark(g*blocksPerGroup, 1+l.descriptorBlocks)
		}
	}
	// What the last group lacks is not there to be used.
	l.mark(l.total, l.groups*blocksPerGroup-l.total)
	for _, table := range []struct {
		blocks uint32
		starts *[]uint32
	}{{1, &l.blockBitmaps}, {1, &l.inodeBitmaps}, {l.inodesPerGroup / inodesPerBlock, &l.inodeTables}} {
		for range l.groups {
			start, err := l.contiguous(table.blocks)
			if err != nil {
				return err
			}
			*table.starts = append(*table.starts, start)
		}
	}
	// What was too small a gap for a table is content's.
	l.next = 0
	return nil
}

// hasBackup tells of the groups 0, 1 and the powers of 3, 5 and 7 (sparse_super).
func hasBackup(group uint32) bool {
	if group <= 1 {
		return true
	}
	for _, base := range []uint32{3, 5, 7} {
		power := base
		for power < group {
			power *= base
		}
		if power == group {
			return true
		}
	}
	return false
}

func (l *layout) isUsed(block uint32) bool {
	group := l.used[block/blocksPerGroup]
	return group != nil && group[block%blocksPerGroup/64]&(1<<(block%64)) != 0
}

func (l *layout) mark(start, count uint32) {
	for block := start; block < start+count; block++ {
		group := &l.used[block/blocksPerGroup]
		if *group == nil {
			*group = make([]uint64, blocksPerGroup/64)
		}
		(*group)[block%blocksPerGroup/64] |= 1 << (block % 64)
	}
}

// upTo allocates a run of at most so many blocks.
func (l *layout) upTo(most uint32) (start, count uint32, err error) {
	for l.next < l.total && l.isUsed(l.next) {
		l.next++
	}
	if l.next == l.total {
		return 0, 0, fmt.Errorf("the file system of %d MiB is full", int64(l.total)*blockSize>>20)
	}
	start = l.next
	for l.next < l.total && count < most && !l.isUsed(l.next) {
		l.next++
		count++
	}
	l.mark(start, count)
	return start, count, nil
}

// contiguous allocates one run of exactly so many blocks, behind any gap that is too small.
func (l *layout) contiguous(want uint32) (uint32, error) {
	for {
		start, count, err := l.upTo(want)
		if err != nil || count == want {
			return start, err
		}
		for block := start; block < start+count; block++ {
			l.used[block/blocksPerGroup][block%blocksPerGroup/64] &^= 1 << (block % 64)
		}
	}
}

// freeIn counts a group's free blocks.
func (l *layout) freeIn(group uint32) uint32 {
	free := uint32(blocksPerGroup)
	for _, word := range l.used[group] {
		free -= uint32(bits.OnesCount64(word))
	}
	return free
}

func (l *layout) free() int64 {
	free := int64(0)
	for g := range l.groups {
		free += int64(l.freeIn(g))
	}
	return free
}

// blockBitmap is the group's bitmap as it lies on disk; none where no block is used.
func (l *layout) blockBitmap(group uint32) []byte {
	var bitmap []byte
	for _, word := range l.used[group] {
		bitmap = binary.LittleEndian.AppendUint64(bitmap, word)
	}
	return bitmap
}
