// Package ext4 grows a mounted ext4 file system to its device.
package ext4

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resizeFS is EXT4_IOC_RESIZE_FS: _IOW('f', 16, __u64), the new size in blocks.
const resizeFS = 0x40086610

// DeviceOf names the block device of the file system that at is the root of.
func DeviceOf(at string) (string, error) {
	var here, above unix.Stat_t
	if err := unix.Stat(at, &here); err != nil {
		return "", fmt.Errorf("stat %s: %w", at, err)
	}
	if err := unix.Stat(at+"/..", &above); err != nil {
		return "", fmt.Errorf("stat the parent of %s: %w", at, err)
	}
	if here.Dev == above.Dev && here.Ino != above.Ino {
		return "", fmt.Errorf("%s is not a mount point", at)
	}
	link, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(here.Dev), unix.Minor(here.Dev)))
	if err != nil {
		return "", fmt.Errorf("%s is not on a block device: %v", at, err) // its ENOENT is not at's
	}
	return "/dev/" + filepath.Base(link), nil
}

// Grow makes the ext4 mounted at the given place as large as its device and returns its size in bytes.
func Grow(device, at string) (uint64, error) {
	size, err := deviceSize(device)
	if err != nil {
		return 0, err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(at, &fs); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", at, err)
	}
	if fs.Type != unix.EXT4_SUPER_MAGIC {
		return 0, fmt.Errorf("%s is not ext4 (type %#x)", at, fs.Type)
	}
	if full, err := fills(device, size); err != nil || full {
		return size, err
	}
	dir, err := os.Open(at)
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	// The kernel answers 0 when the size is already right and refuses to shrink.
	blocks := size / uint64(fs.Bsize)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, dir.Fd(), resizeFS, uintptr(unsafe.Pointer(&blocks))); errno != 0 {
		return 0, fmt.Errorf("grow %s to %d blocks of %d bytes: %w", at, blocks, fs.Bsize, errno)
	}
	return blocks * uint64(fs.Bsize), nil
}

// fills tells whether the file system is as large as the device, up to a block: a resize to the same size would still flush the
// journal, at each boot.
func fills(device string, size uint64) (bool, error) {
	f, err := os.Open(device)
	if err != nil {
		return false, err
	}
	defer f.Close()
	super := make([]byte, 1024)
	if _, err := f.ReadAt(super, 1024); err != nil {
		return false, fmt.Errorf("read the superblock of %s: %w", device, err)
	}
	field := func(at int) uint64 { return uint64(binary.LittleEndian.Uint32(super[at:])) }
	block := uint64(1024) << (field(0x18) & 7)
	blocks := field(0x4)
	if field(0x60)&0x80 != 0 { // 64bit
		blocks |= field(0x150) << 32
	}
	return blocks == size/block, nil
}

func deviceSize(device string) (size uint64, err error) {
	f, err := os.Open(device)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.BLKGETSIZE64, uintptr(unsafe.Pointer(&size))); errno != 0 {
		return 0, fmt.Errorf("size of %s: %w", device, errno)
	}
	return size, nil
}
