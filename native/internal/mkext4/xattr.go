package mkext4

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	attributeMagic = 0xEA020000
	attributeEntry = 16
	// What an inode, and a block, have for entries and values; both end their entries with four bytes of zeros.
	inInode = inodeSize - 128 - extraSize - 4 - 4
	inBlock = blockSize - 32 - 4
)

// attribute is one as it lies on disk: the beginning of its name is a number.
type attribute struct {
	index byte
	name  string
	value []byte
}

func (a attribute) size() int { return (attributeEntry+len(a.name)+3)&^3 + (len(a.value)+3)&^3 }

var prefixes = []struct {
	index  byte
	prefix string
	whole  bool
}{
	{2, "system.posix_acl_access", true},
	{3, "system.posix_acl_default", true},
	{1, "user.", false},
	{4, "trusted.", false},
	{6, "security.", false},
	{7, "system.", false},
}

func newAttribute(name, value string) (attribute, error) {
	for _, p := range prefixes {
		rest, ok := strings.CutPrefix(name, p.prefix)
		if !ok || p.whole != (rest == "") {
			continue
		}
		if len(rest) > 255 {
			break
		}
		if p.whole {
			list, err := aclOnDisk([]byte(value))
			return attribute{p.index, "", list}, err
		}
		return attribute{p.index, rest, []byte(value)}, nil
	}
	return attribute{}, errors.New("no file system takes an attribute of that name")
}

// aclOnDisk packs an access control list: programs see entries of 8 bytes behind a version of 2, the disk has entries without
// an id where the tag needs none, behind a version of 1.
func aclOnDisk(value []byte) ([]byte, error) {
	if len(value) < 4 || (len(value)-4)%8 != 0 || binary.LittleEndian.Uint32(value) != 2 {
		return nil, errors.New("it is no access control list")
	}
	const user, group = 0x02, 0x08
	packed := []byte{1, 0, 0, 0}
	for entry := range slices.Chunk(value[4:], 8) {
		packed = append(packed, entry[:4]...)
		if tag := binary.LittleEndian.Uint16(entry); tag == user || tag == group {
			packed = append(packed, entry[4:]...)
		}
	}
	return packed, nil
}

// hash is what the kernel expects beside an entry in a block.
func (a attribute) hash() uint32 {
	hash := uint32(0)
	for at := range len(a.name) {
		hash = hash<<5 ^ hash>>27 ^ uint32(a.name[at])
	}
	padded := append(slices.Clone(a.value), make([]byte, -len(a.value)&3)...)
	for word := range slices.Chunk(padded, 4) {
		hash = hash<<16 ^ hash>>16 ^ binary.LittleEndian.Uint32(word)
	}
	return hash
}

// writeXattrs puts attributes into the inode while they fit, the others into a block.
func (w *writer) writeXattrs(i *inode, xattrs map[string]string) error {
	if len(xattrs) == 0 {
		return nil
	}
	var here, beyond []attribute
	leftHere, leftBeyond := inInode, inBlock
	names := make([]string, 0, len(xattrs))
	for name := range xattrs {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		a, err := newAttribute(name, xattrs[name])
		if err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
		switch size := a.size(); {
		case size <= leftHere:
			here, leftHere = append(here, a), leftHere-size
		case size <= leftBeyond:
			beyond, leftBeyond = append(beyond, a), leftBeyond-size
		default:
			return fmt.Errorf("attribute %q of %d bytes: all attributes of a file fit into %d", name, len(a.value), inBlock)
		}
	}
	if len(here) > 0 {
		i.attributes = make([]byte, inInode+8)
		binary.LittleEndian.PutUint32(i.attributes, attributeMagic)
		putAttributes(i.attributes[4:], here, 0)
	}
	if len(beyond) == 0 {
		return nil
	}
	// The kernel searches a block by this order.
	slices.SortFunc(beyond, func(a, b attribute) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	block := make([]byte, blockSize)
	binary.LittleEndian.PutUint32(block[0:], attributeMagic)
	binary.LittleEndian.PutUint32(block[4:], 1) // users of the block
	binary.LittleEndian.PutUint32(block[8:], 1) // its length in blocks
	putAttributes(block[32:], beyond, 32)
	start, _, err := w.upTo(1)
	if err != nil {
		return err
	}
	i.fileACL = start
	i.blocks++
	return w.content.writeAt(block, int64(start)*blockSize)
}

// putAttributes writes entries from the front and values from the back; base is where offsets count from, before area.
func putAttributes(area []byte, attributes []attribute, base int) {
	entry, end := area, len(area)
	for _, a := range attributes {
		end -= (len(a.value) + 3) &^ 3
		copy(area[end:], a.value)
		entry[0] = byte(len(a.name))
		entry[1] = a.index
		binary.LittleEndian.PutUint16(entry[2:], uint16(base+end))
		binary.LittleEndian.PutUint32(entry[8:], uint32(len(a.value)))
		binary.LittleEndian.PutUint32(entry[12:], a.hash())
		copy(entry[attributeEntry:], a.name)
		entry = entry[(attributeEntry+len(a.name)+3)&^3:]
	}
}
