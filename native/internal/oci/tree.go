// Package oci turns container images into ext4 file systems: pulled from a registry or read from files, verified, their layers
// merged as the OCI image specification says, written without root. Everything in an image is its maker's: names, links, sizes
// and texts are checked here, and nothing is ever unpacked onto the host.
package oci

import (
	"archive/tar"
	"fmt"
	"strings"

	"banger.dev/native/internal/mkext4"
)

const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	// metadata of aufs, which some old layers still carry.
	aufs = ".wh..wh."

	maxPath = 4095
	// maxFollowed is the kernel's limit for links on the way to a file, and maxParts ours for the names that they all are made of.
	maxFollowed = 40
	maxParts    = 4096
	// maxSteps bounds the walks of all entries together: the names that fit into Limits have half as many parts.
	maxSteps = 256 << 20
)

// tree is the image's file system while layers are put over one another.
type tree struct {
	root  *mkext4.Node
	layer int
	// origin tells which layer put a name where it is: whiteouts hide only what lies below.
	origin map[place]int
	// cleared has the directories of which a layer has hidden everything older, with the layer. Nothing older comes back after that.
	cleared map[*mkext4.Node]int
	// left is charged for directories that no entry names.
	left  *budget
	steps int
}

type place struct {
	dir  *mkext4.Node
	name string
}

func newTree(left *budget) *tree {
	return &tree{root: mkext4.Dir(0o755, zeroTime), origin: map[place]int{}, cleared: map[*mkext4.Node]int{}, left: left}
}

// apply puts one entry of the current layer over what the layers below made.
func (t *tree) apply(e *entry) error {
	names, err := split(e.name)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if e.kind != tar.TypeDir {
			return fmt.Errorf("the root is not a directory in it")
		}
		become(t.root, e.node)
		return nil
	}
	name := names[len(names)-1]
	dir, err := t.directory(names[:len(names)-1])
	if err != nil {
		return err
	}
	if !e.plain && strings.HasPrefix(name, whiteout) {
		return t.white(dir, name)
	}
	if e.kind == tar.TypeLink {
		target, err := t.linked(e.link)
		if err != nil {
			return err
		}
		if dir.Children[name] != target {
			t.put(dir, name, target)
		}
		return nil
	}
	old := dir.Children[name]
	if old != nil && old.IsDir() && e.node.IsDir() {
		// What is in it stays.
		become(old, e.node)
		t.origin[place{dir, name}] = t.layer
		return nil
	}
	t.put(dir, name, e.node)
	return nil
}

// become gives a directory that is there what a later entry says of it.
func become(old, n *mkext4.Node) {
	old.Mode, old.UID, old.GID, old.Mtime, old.Xattrs = n.Mode, n.UID, n.GID, n.Mtime, n.Xattrs
}

func (t *tree) put(dir *mkext4.Node, name string, n *mkext4.Node) {
	t.forget(dir.Children[name])
	dir.Children[name] = n
	t.origin[place{dir, name}] = t.layer
}

// forget drops what is known of everything below a directory that goes.
func (t *tree) forget(n *mkext4.Node) {
	if n == nil || !n.IsDir() {
		return
	}
	delete(t.cleared, n)
	for name, below := range n.Children {
		delete(t.origin, place{n, name})
		t.forget(below)
	}
}

// white removes what lies below this layer: one name, or everything in a directory. What is not there need not be.
func (t *tree) white(dir *mkext4.Node, name string) error {
	if name == opaque {
		t.clear(dir)
		return nil
	}
	if strings.HasPrefix(name, aufs) {
		return nil
	}
	hidden := strings.TrimPrefix(name, whiteout)
	if hidden == "" || hidden == "." || hidden == ".." {
		return fmt.Errorf("a whiteout of nothing")
	}
	t.hide(dir, hidden)
	return nil
}

// clear hides what is older than this layer in a directory, once.
func (t *tree) clear(dir *mkext4.Node) {
	if layer, ok := t.cleared[dir]; ok && layer == t.layer {
		return
	}
	t.cleared[dir] = t.layer
	for below := range dir.Children {
		t.hide(dir, below)
	}
}

// hide removes a name unless this layer made it, and from a directory that this layer made, or reaches into, what is older.
func (t *tree) hide(dir *mkext4.Node, name string) {
	n := dir.Children[name]
	if n == nil {
		return
	}
	if n.IsDir() {
		t.clear(n)
	}
	if t.origin[place{dir, name}] == t.layer || len(n.Children) > 0 {
		return
	}
	t.forget(n)
	delete(dir.Children, name)
	delete(t.origin, place{dir, name})
}

// linked finds what a hard link names. The last part is not followed: a link to a link is the same link.
func (t *tree) linked(link string) (*mkext4.Node, error) {
	names, err := split(link)
	if err != nil {
		return nil, fmt.Errorf("hard link: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("a hard link to the root")
	}
	dir, _, err := t.walk(names[:len(names)-1], false)
	if err != nil {
		return nil, err
	}
	var target *mkext4.Node
	if dir != nil {
		target = dir.Children[names[len(names)-1]]
	}
	if target == nil {
		return nil, fmt.Errorf("a hard link to %q, which is not there", link)
	}
	if target.IsDir() {
		return nil, fmt.Errorf("a hard link to the directory %q", link)
	}
	return target, nil
}

// directory finds a directory, and makes what is missing of it, as tar does.
func (t *tree) directory(names []string) (*mkext4.Node, error) {
	dir, at, err := t.walk(names, true)
	if err != nil {
		return nil, err
	}
	if dir == nil {
		return nil, fmt.Errorf("%q on the way to it is not a directory", at)
	}
	return dir, nil
}

// walk follows names from the root, through symbolic links as a process in the image would: none of them leads out.
func (t *tree) walk(names []string, create bool) (dir *mkext4.Node, at string, err error) {
	// ancestors are for "..", the root's own being the root.
	ancestors := []*mkext4.Node{t.root}
	followed, met := 0, len(names)
	for len(names) > 0 {
		if t.steps++; t.steps > maxSteps {
			return nil, names[0], fault(TooLarge, "the names of the image's files lead through more than %d directories together", maxSteps)
		}
		name := names[0]
		names = names[1:]
		here := ancestors[len(ancestors)-1]
		if name == ".." {
			ancestors = ancestors[:max(1, len(ancestors)-1)]
			continue
		}
		next := here.Children[name]
		switch {
		case next == nil && !create:
			return nil, name, nil
		case next == nil:
			if err := t.left.take(0, len(name)); err != nil {
				return nil, name, err
			}
			next = mkext4.Dir(0o755, zeroTime)
			t.put(here, name, next)
		case next.Type() == mkext4.TypeSymlink:
			through := parts(next.Link)
			met += len(through)
			if followed++; followed > maxFollowed {
				return nil, name, fmt.Errorf("more than %d links on the way to it", maxFollowed)
			}
			if met > maxParts {
				return nil, name, fmt.Errorf("more than %d names on the way to it, through links", maxParts)
			}
			if strings.HasPrefix(next.Link, "/") {
				ancestors = ancestors[:1]
			}
			names = append(through, names...)
			continue
		case !next.IsDir():
			return nil, name, nil
		}
		ancestors = append(ancestors, next)
	}
	return ancestors[len(ancestors)-1], "", nil
}

// parts of a path, without those that mean nothing.
func parts(name string) []string {
	var names []string
	for part := range strings.SplitSeq(name, "/") {
		if part != "" && part != "." {
			names = append(names, part)
		}
	}
	return names
}

// split checks a name of the archive. One that begins with / is meant from the image's root.
func split(name string) ([]string, error) {
	if len(name) > maxPath {
		return nil, fmt.Errorf("a name of %d bytes; %d are possible", len(name), maxPath)
	}
	if strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("a name with a zero byte")
	}
	names := parts(name)
	for _, part := range names {
		if part == ".." {
			return nil, fmt.Errorf("%q climbs out with ..", name)
		}
		if len(part) > 255 {
			return nil, fmt.Errorf("a name of %d bytes; 255 are possible", len(part))
		}
	}
	return names, nil
}
