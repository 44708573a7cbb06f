package kernel

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"banger.dev/native/internal/mkext4"
)

// dangling are links into the kernel's build directory, which no guest has.
var dangling = []string{"build", "source"}

// epoch stands for every file's time: the same tree gives the same bytes.
var epoch = time.Unix(0, 0)

// writeExt4 writes the whole tree as an ext4 whose root is the content of /lib/modules/RELEASE, all of it root's.
func (t *Tree) writeExt4(out mkext4.Output) error {
	root := mkext4.Dir(0o755, epoch)
	if err := t.addTo(root); err != nil {
		return fmt.Errorf("pack %s: %w", t.Dir, err)
	}
	uuid := sha256.Sum256([]byte(t.Release))
	return mkext4.Write(out, root, mkext4.Options{UUID: [16]byte(uuid[:16]), Time: epoch})
}

func (t *Tree) addTo(root *mkext4.Node) error {
	err := filepath.WalkDir(t.Dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(t.Dir, file)
		if err != nil || name == "." || slices.Contains(dangling, name) {
			return err
		}
		return add(root, name, file, entry.Type())
	})
	if err != nil || t.index == "" {
		return err
	}
	// depmod's indexes stand in for the tree's own.
	entries, err := os.ReadDir(t.index)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			if err := add(root, e.Name(), filepath.Join(t.index, e.Name()), e.Type()); err != nil {
				return err
			}
		}
	}
	return nil
}

// add puts a file below root; the directories above it are there already, since a walk meets them first.
func add(root *mkext4.Node, name, file string, kind fs.FileMode) error {
	n := &mkext4.Node{Mtime: epoch}
	switch kind {
	case fs.ModeDir:
		n = mkext4.Dir(0o755, epoch)
	case fs.ModeSymlink:
		target, err := os.Readlink(file)
		if err != nil {
			return err
		}
		n.Mode, n.Link = mkext4.TypeSymlink|0o777, target
	case 0:
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		n.Mode, n.Size, n.Content = mkext4.TypeRegular|0o644, info.Size(), opened(file)
	default:
		return fmt.Errorf("%s is neither a file, a directory nor a link", name)
	}
	parent := root
	names := strings.Split(name, "/")
	for _, above := range names[:len(names)-1] {
		parent = parent.Children[above]
	}
	parent.Children[names[len(names)-1]] = n
	return nil
}

// opened is a file that is open only while it is read: a tree has more of them than a process may hold open.
type opened string

func (o opened) ReadAt(b []byte, at int64) (int, error) {
	f, err := os.Open(string(o))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.ReadAt(b, at)
}
