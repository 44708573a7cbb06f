// Package mkext4 writes a tree of files as an ext4 file system, without mounting anything and without root: owners, modes,
// attributes and devices are written as what they are, inodes. The file is sparse, has its journal and room to grow into,
// and the same tree gives the same bytes.
//
// The formats are those of Documentation/filesystems/ext4 in Linux. e2fsck finds nothing to mend in what is written here.
package mkext4

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// File types of Node.Mode, as in stat(2).
const (
	TypeMask    = 0o170000
	TypeFifo    = 0o010000
	TypeChar    = 0o020000
	TypeDir     = 0o040000
	TypeBlock   = 0o060000
	TypeRegular = 0o100000
	TypeSymlink = 0o120000
)

// Node is one file. A node under several names is a file with hard links.
type Node struct {
	// Mode is type and permissions, set-user-id and the like included.
	Mode         uint32
	UID, GID     uint32
	Mtime        time.Time
	Major, Minor uint32
	// Link is what a symbolic link points to.
	Link string
	// Xattrs by full name, as getxattr(2) gives them.
	Xattrs map[string]string
	// Size and where the content of a regular file lies.
	Size    int64
	Content io.ReaderAt
	Offset  int64
	// Children of a directory, by name.
	Children map[string]*Node

	number  uint32
	links   int
	written bool
}

// Dir makes a directory with nothing in it.
func Dir(mode uint32, mtime time.Time) *Node {
	return &Node{Mode: TypeDir | mode, Mtime: mtime, Children: map[string]*Node{}}
}

// Type is the file type in the node's mode.
func (n *Node) Type() uint32 { return n.Mode & TypeMask }

// IsDir tells whether the node is a directory.
func (n *Node) IsDir() bool { return n.Type() == TypeDir }

// names lists a directory in order.
func (n *Node) names() []string {
	names := make([]string, 0, len(n.Children))
	for name := range n.Children {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

const (
	maxName = 255
	// maxDepth bounds the recursion over directories; PATH_MAX allows half of it.
	maxDepth = 4096
	// maxSymlink is PATH_MAX without its end: what the kernel lets a link point to.
	maxSymlink = 4095
)

// check refuses what no kernel could read.
func (n *Node) check(path string) error {
	switch n.Type() {
	case TypeRegular, TypeDir, TypeFifo, TypeChar, TypeBlock:
	case TypeSymlink:
		if len(n.Link) == 0 || len(n.Link) > maxSymlink {
			return fmt.Errorf("%s: a link to a name of %d bytes; 1 to %d are possible", path, len(n.Link), maxSymlink)
		}
	default:
		return fmt.Errorf("%s: its mode %o names no type of file", path, n.Mode)
	}
	return nil
}

// enumerate gives every file its inode and counts its names.
func (w *writer) enumerate(path string, n *Node, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%.200s...: directories are more than %d deep", path, maxDepth)
	}
	if err := n.check(path); err != nil {
		return err
	}
	n.links++
	if n.number != 0 {
		if n.IsDir() {
			return fmt.Errorf("%s: a directory has one name only", path)
		}
		return nil
	}
	n.number = w.nextInode()
	w.blocks += n.blocksAtMost()
	if n.IsDir() {
		n.links++ // its own "."
	}
	for _, name := range n.names() {
		if len(name) == 0 || len(name) > maxName || name == "." || name == ".." {
			return fmt.Errorf("%s: a name of %d bytes; 1 to %d are possible", path, len(name), maxName)
		}
		child := n.Children[name]
		if child.IsDir() {
			n.links++
		}
		if err := w.enumerate(join(path, name), child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "/" {
		return path + name
	}
	return path + "/" + name
}

// blocksAtMost bounds what a file takes: fewer where it has holes.
func (n *Node) blocksAtMost() int64 {
	blocks := int64(0)
	switch n.Type() {
	case TypeRegular:
		blocks = (n.Size + blockSize - 1) / blockSize
		// Content with holes may need an extent for every other block; a block of their tree holds 340.
		if blocks > extentsInInode {
			leaves := blocks/(2*extentsPerBlock) + 1
			blocks += leaves + leaves/(extentsPerBlock-1) + 1
		}
	case TypeDir:
		bytes := 0
		for name := range n.Children {
			bytes += entrySize(name)
		}
		// The end of a block stays empty when the next entry does not fit.
		blocks = int64(bytes)/(blockSize-maxName-entryHeader) + 2
	case TypeSymlink:
		blocks = 1
	}
	if len(n.Xattrs) > 0 {
		blocks++
	}
	return blocks
}
