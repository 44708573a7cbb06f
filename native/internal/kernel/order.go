package kernel

import (
	"fmt"
	"slices"
	"strings"
)

type driver struct{ module, option string }

// What a VM cannot do without, and what it is better for.
var (
	needed = []driver{
		{"virtio_mmio", "CONFIG_VIRTIO_MMIO"},
		{"virtio_blk", "CONFIG_VIRTIO_BLK"},
		{"virtio_net", "CONFIG_VIRTIO_NET"},
		{"vsock", "CONFIG_VSOCKETS"},
		{"vmw_vsock_virtio_transport", "CONFIG_VIRTIO_VSOCKETS"},
		{"ext4", "CONFIG_EXT4_FS"},
	}
	wanted = []driver{{"virtio_rng", "CONFIG_HW_RANDOM_VIRTIO"}}
)

// LoadOrder names the modules a VM loads, each after all it depends on.
func (t *Tree) LoadOrder() ([]string, error) {
	o := order{tree: t, seen: map[string]bool{}}
	var missing []string
	for _, d := range needed {
		if !t.builtin[d.module] && t.files[d.module] == "" {
			missing = append(missing, d.option)
		}
		o.add(d.module)
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("kernel %s lacks what a VM needs, built in or as a module: %s", t.Release, strings.Join(missing, ", "))
	}
	for _, d := range wanted {
		o.add(d.module)
	}
	return o.names, o.err
}

type order struct {
	tree  *Tree
	seen  map[string]bool
	names []string
	err   error
}

func (o *order) add(name string) {
	if o.seen[name] || o.tree.builtin[name] {
		return
	}
	o.seen[name] = true
	if o.tree.files[name] == "" {
		return
	}
	// modules.dep lists the whole closure, what comes last to be loaded first.
	for _, need := range slices.Backward(o.tree.depends[name]) {
		if !o.tree.builtin[need] && o.tree.files[need] == "" {
			o.err = fmt.Errorf("kernel %s: module %s needs %s, which is missing", o.tree.Release, name, need)
		}
		o.add(need)
	}
	for _, alias := range o.tree.before[name] {
		o.addAlias(alias)
	}
	o.names = append(o.names, name)
}

// addAlias adds every module that answers to a name the kernel would ask modprobe for, of which an initramfs has none.
func (o *order) addAlias(alias string) {
	o.add(moduleName(alias))
	for _, name := range o.tree.aliases[alias] {
		o.add(name)
	}
	for _, name := range o.tree.aliases["crypto-"+alias] {
		o.add(name)
	}
}
