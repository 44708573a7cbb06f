package kernel

import (
	"fmt"
	"io"
)

// archivePadding aligns an archive so that another can follow it in one initrd.
const archivePadding = 512

const (
	modeDir  = 0o040755
	modeFile = 0o100644
	modeProg = 0o100755
	modeChar = 0o020600
)

// cpio writes the "newc" format of the kernel's initramfs: root's files, time 0, numbered in their order.
type cpio struct {
	w       io.Writer
	inode   int
	written int64
	err     error
}

// add appends one entry. Major and minor are a device's, else 0.
func (c *cpio) add(name string, mode uint32, content []byte, major, minor int) {
	c.inode++
	c.entry(c.inode, name, mode, content, major, minor)
}

func (c *cpio) entry(inode int, name string, mode uint32, content []byte, major, minor int) {
	const uid, gid, links, mtime, devMajor, devMinor, check = 0, 0, 1, 0, 0, 0, 0
	header := fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, mode, uid, gid, links, mtime,
		len(content), devMajor, devMinor, major, minor, len(name)+1, check)
	c.write([]byte(header + name + "\x00"))
	c.align(4)
	c.write(content)
	c.align(4)
}

// close ends the archive.
func (c *cpio) close() error {
	c.entry(0, "TRAILER!!!", 0, nil, 0, 0)
	c.align(archivePadding)
	return c.err
}

func (c *cpio) write(b []byte) {
	if c.err == nil {
		var n int
		n, c.err = c.w.Write(b)
		c.written += int64(n)
	}
}

func (c *cpio) align(to int64) { c.write(make([]byte, (to-c.written%to)%to)) }

// writeModules writes the modules of an initramfs, where banger-guest looks for them.
func (t *Tree) writeModules(w io.Writer) error {
	names, err := t.LoadOrder()
	if err != nil {
		return err
	}
	c := &cpio{w: w}
	c.add("banger", modeDir, nil, 0, 0)
	c.add("banger/modules", modeDir, nil, 0, 0)
	list := ""
	for _, name := range names {
		list += name + ".ko\n"
	}
	c.add("banger/modules/order", modeFile, []byte(list), 0, 0)
	for _, name := range names {
		content, err := t.module(name)
		if err != nil {
			return err
		}
		c.add("banger/modules/"+name+".ko", modeFile, content, 0, 0)
	}
	return c.close()
}

// WriteGuest writes the part of the initramfs that is the same for every kernel.
func WriteGuest(w io.Writer, program []byte) error {
	c := &cpio{w: w}
	for _, dir := range []string{"dev", "newroot", "proc", "sys"} {
		c.add(dir, modeDir, nil, 0, 0)
	}
	// The kernel opens it for init's standard files before init could mount /dev.
	c.add("dev/console", modeChar, nil, 5, 1)
	c.add("init", modeProg, program, 0, 0)
	return c.close()
}
