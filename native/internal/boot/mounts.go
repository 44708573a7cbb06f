package boot

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/ext4"
)

const (
	rootDevice = "/dev/vda"
	quiet      = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
)

type pseudo struct {
	fs, at string
	flags  uintptr
	data   string
}

var (
	procMount    = pseudo{"proc", "/proc", quiet, ""}
	cgroupMount  = pseudo{"cgroup2", "/sys/fs/cgroup", quiet, "nsdelegate"}
	kernelMounts = []pseudo{
		procMount,
		{"sysfs", "/sys", quiet, ""},
		{"devtmpfs", "/dev", unix.MS_NOSUID, "mode=0755"},
	}
	// What systemd mounts too when it is not there, with the same options; other inits differ in what they expect.
	userMounts = []pseudo{
		{"devpts", "/dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666"},
		{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV, "mode=01777"},
		{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"},
	}
)

func mountPseudo(list []pseudo) error {
	for _, m := range list {
		at, err := makeDirectory("/", m.at, 0o755)
		if err != nil {
			return err
		}
		if err := unix.Mount(m.fs, at, m.fs, m.flags, m.data); err != nil {
			return fmt.Errorf("mount %s at %s: %w", m.fs, at, err)
		}
	}
	return nil
}

func (b *boot) mountKernel() error { return mountPseudo(kernelMounts) }

func (b *boot) mountRoot() error {
	if err := awaitDevice(rootDevice); err != nil {
		return err
	}
	if err := os.MkdirAll(newRoot, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(rootDevice, newRoot, "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount %s read-write as ext4: %w", rootDevice, err)
	}
	// An image may be longer than its file system: banger image build --size.
	if _, err := ext4.Grow(rootDevice, newRoot); err != nil {
		b.warn("%v", err)
	}
	return nil
}

func (b *boot) mountConfigured() error {
	for _, m := range b.config.Mounts {
		if err := awaitDevice(m.Device); err != nil {
			return err
		}
		at, err := makeDirectory("/", m.At, 0o755)
		if err != nil && m.ReadOnly {
			b.warn("no place for %s: %v", m.At, err) // a kernel's modules, say, which few programs want
			continue
		}
		if err != nil {
			return err
		}
		var flags uintptr
		if m.ReadOnly {
			flags = unix.MS_RDONLY
		}
		if err := unix.Mount(m.Device, at, m.Type, flags, ""); err != nil {
			return fmt.Errorf("mount %s (%s) at %s: %w", m.Device, m.Type, at, err)
		}
		if !m.Grow {
			continue
		}
		if _, err := ext4.Grow(m.Device, at); err != nil {
			b.warn("%v", err)
		}
	}
	return nil
}

// makeTmp is for images whose /tmp is missing, or leads nowhere: most programs want one.
func (b *boot) makeTmp() {
	if _, err := os.Stat("/tmp"); err == nil {
		return
	}
	tmp, err := makeDirectory("/", "/tmp", 0o755)
	if err == nil {
		err = os.Chmod(tmp, 0o777|os.ModeSticky)
	}
	if err != nil {
		b.warn("/tmp: %v", err)
	}
}
