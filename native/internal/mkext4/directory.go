package mkext4

import "encoding/binary"

// entryHeader is the part of a directory entry before its name.
const entryHeader = 8

// entrySize is what an entry takes: entries begin at multiples of 4.
func entrySize(name string) int { return (entryHeader + len(name) + 3) &^ 3 }

// directoryTypes are the codes that directory entries have for types of files.
var directoryTypes = map[uint32]byte{TypeRegular: 1, TypeDir: 2, TypeChar: 3, TypeBlock: 4, TypeFifo: 5, TypeSymlink: 7}

// directoryBlocks is a directory's content. The last entry of a block reaches to its end.
func directoryBlocks(n, parent *Node) []byte {
	var blocks []byte
	at, last := blockSize, 0
	add := func(name string, node *Node) {
		if at+entrySize(name) > blockSize {
			blocks = closeBlock(blocks, last, at)
			blocks = append(blocks, make([]byte, blockSize)...)
			at = 0
		}
		last = at
		entry := blocks[len(blocks)-blockSize+at:]
		binary.LittleEndian.PutUint32(entry[0:], node.number)
		binary.LittleEndian.PutUint16(entry[4:], uint16(entrySize(name)))
		entry[6] = byte(len(name))
		entry[7] = directoryTypes[node.Type()]
		copy(entry[entryHeader:], name)
		at += entrySize(name)
	}
	add(".", n)
	add("..", parent)
	for _, name := range n.names() {
		add(name, n.Children[name])
	}
	return closeBlock(blocks, last, at)
}

func closeBlock(blocks []byte, last, at int) []byte {
	if len(blocks) > 0 {
		entry := blocks[len(blocks)-blockSize+last:]
		binary.LittleEndian.PutUint16(entry[4:], uint16(blockSize-last))
	}
	return blocks
}
