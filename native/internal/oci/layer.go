package oci

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"banger.dev/native/internal/mkext4"
	"banger.dev/native/internal/room"
)

// zeroTime is that of directories that no layer has, but something lies in.
var zeroTime = time.Unix(0, 0)

// Limits of what an image may ask of the host.
type Limits struct {
	// Entries of all layers.
	Entries int
	// Content is the bytes of all files together.
	Content int64
	// Names is the bytes of all names, targets of links and attributes: what is kept in memory.
	Names int64
	// Bomb is how much a layer may unpack to before Ratio is looked at.
	Bomb  int64
	Ratio int64
	// Layers of one image; Docker itself stops at 127.
	Layers int
	// Reserve is what stays free of the disk.
	Reserve room.Reserve
}

// DefaultLimits are far above what images have: the largest of machine learning have 300,000 entries and 30 GiB.
var DefaultLimits = Limits{Entries: 1_000_000, Content: 128 << 30, Names: 256 << 20, Bomb: 16 << 30, Ratio: 100, Layers: 512}

// entry is one of a layer's, its content in the spool.
type entry struct {
	name, link string
	kind       byte
	node       *mkext4.Node
	// plain is one of an archive whose names are names, whiteouts or not.
	plain bool
}

const xattrPrefix = "SCHILY.xattr."

var types = map[byte]uint32{
	tar.TypeReg: mkext4.TypeRegular, tar.TypeDir: mkext4.TypeDir, tar.TypeSymlink: mkext4.TypeSymlink,
	tar.TypeChar: mkext4.TypeChar, tar.TypeBlock: mkext4.TypeBlock, tar.TypeFifo: mkext4.TypeFifo,
}

// layerReader unpacks one layer: its entries, its content into a spool, its digest.
type layerReader struct {
	spool  *spool
	limits *budget
	plain  bool
}

// budget is what layers, read side by side, have taken of the limits.
type budget struct {
	Limits
	mutex   sync.Mutex
	entries int
	content int64
	names   int64
}

func (b *budget) take(size int64, names int) error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.entries++; b.entries > b.Entries {
		return fault(TooLarge, "the image has more than %d files", b.Entries)
	}
	if b.content += size; b.content > b.Content {
		return fault(TooLarge, "the image's files are larger than %d GiB together", b.Content>>30)
	}
	if b.names += int64(names); b.names > b.Names {
		return fault(TooLarge, "the names and attributes of the image's files are larger than %d MiB together", b.Names>>20)
	}
	return nil
}

// read gives a layer's entries in their order and the sha256 of its unpacked archive.
func (l *layerReader) read(packed io.Reader) ([]*entry, string, error) {
	counted := &counter{r: packed}
	unpacked, closeUnpacked, err := decompress(bufio.NewReaderSize(counted, 1<<16))
	if err != nil {
		return nil, "", damaged(err, counted.err)
	}
	defer closeUnpacked()
	sum := sha256.New()
	stream := &bombGuard{r: io.TeeReader(unpacked, sum), packed: counted, limits: l.limits.Limits}
	archive := tar.NewReader(stream)
	var entries []*entry
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, "", damaged(err, counted.err)
		}
		e, err := l.entry(header, archive)
		if err != nil {
			return nil, "", fmt.Errorf("%q: %w", header.Name, damaged(err, counted.err))
		}
		if e != nil {
			entries = append(entries, e)
		}
	}
	// Behind the archive's end there may be padding, which counts for the digest.
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return nil, "", damaged(err, counted.err)
	}
	return entries, "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

func (l *layerReader) entry(header *tar.Header, content io.Reader) (*entry, error) {
	switch header.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil, nil
	case tar.TypeCont, tar.TypeGNUSparse:
		header.Typeflag = tar.TypeReg
	}
	if len(header.Name) > maxPath || len(header.Linkname) > maxPath {
		return nil, fault(BadLayer, "a name of %d bytes; %d are possible", max(len(header.Name), len(header.Linkname)), maxPath)
	}
	// Clones: the reader's strings are parts of a header of up to a mebibyte, which each would keep alive.
	e := &entry{name: strings.Clone(header.Name), link: strings.Clone(header.Linkname), kind: header.Typeflag, plain: l.plain}
	xattrs, bytes := attributes(header)
	size := int64(0)
	if header.Typeflag == tar.TypeReg {
		// Of others it says nothing, and could be negative.
		size = header.Size
	}
	if err := l.limits.take(size, len(e.name)+len(e.link)+bytes); err != nil {
		return nil, err
	}
	if header.Typeflag == tar.TypeLink {
		return e, nil
	}
	kind, ok := types[header.Typeflag]
	if !ok {
		return nil, fault(BadLayer, "an entry of the unknown type %q", header.Typeflag)
	}
	if err := ranges(header); err != nil {
		return nil, err
	}
	e.node = &mkext4.Node{
		Mode: kind | uint32(header.Mode)&0o7777, UID: uint32(header.Uid), GID: uint32(header.Gid), Mtime: header.ModTime,
		Major: uint32(header.Devmajor), Minor: uint32(header.Devminor), Xattrs: xattrs,
	}
	switch kind {
	case mkext4.TypeDir:
		e.node.Children = map[string]*mkext4.Node{}
	case mkext4.TypeSymlink:
		e.node.Link = e.link
		e.node.Mode = kind | 0o777
	case mkext4.TypeRegular:
		e.node.Content, e.node.Size = l.spool, header.Size
		var err error
		if e.node.Offset, err = l.spool.add(content, header.Size); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// ranges refuses numbers that a file system does not hold: cut off, an owner of 1<<32 would be root.
func ranges(header *tar.Header) error {
	type number struct {
		what  string
		value int64
		most  int64
	}
	// The last owner is what chown takes for none.
	all := []number{{"owner", int64(header.Uid), 1<<32 - 2}, {"group", int64(header.Gid), 1<<32 - 2}}
	if header.Typeflag == tar.TypeChar || header.Typeflag == tar.TypeBlock {
		all = append(all, number{"device's major number", header.Devmajor, 1<<12 - 1}, number{"device's minor number", header.Devminor, 1<<20 - 1})
	}
	for _, n := range all {
		if n.value < 0 || n.value > n.most {
			return fault(BadLayer, "its %s is %d; 0 to %d are possible", n.what, n.value, n.most)
		}
	}
	return nil
}

// attributes are an entry's extended ones, and how many bytes they are.
func attributes(header *tar.Header) (xattrs map[string]string, bytes int) {
	for key, value := range header.PAXRecords {
		if name, ok := strings.CutPrefix(key, xattrPrefix); ok {
			if xattrs == nil {
				xattrs = map[string]string{}
			}
			xattrs[strings.Clone(name)] = strings.Clone(value)
			bytes += len(name) + len(value)
		}
	}
	return xattrs, bytes
}
