package oci

import "banger.dev/native/internal/mkext4"

// split takes what /root holds out of the tree, as a tree of its own: VMs have a disk mounted there, which hides it. The directory itself
// stays. There is no such tree where /root holds nothing, or is no directory.
func (t *tree) split() (seed *mkext4.Node, files int) {
	home, _, err := t.walk([]string{"root"}, false)
	if err != nil || home == nil || home == t.root || len(home.Children) == 0 {
		// Links in circles are the image's own affair.
		return nil, 0
	}
	c := copier{}
	seed = c.copy(home)
	home.Children = map[string]*mkext4.Node{}
	return seed, len(c) - 1
}

// copier copies nodes, which belong to one file system only: a file with names on both sides of a mount becomes one on each.
type copier map[*mkext4.Node]*mkext4.Node

func (c copier) copy(n *mkext4.Node) *mkext4.Node {
	if again := c[n]; again != nil {
		return again
	}
	same := *n
	c[n] = &same
	if n.IsDir() {
		same.Children = make(map[string]*mkext4.Node, len(n.Children))
		for name, child := range n.Children {
			same.Children[name] = c.copy(child)
		}
	}
	return &same
}
