package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	// systemdRuntime holds units that end with the boot; it beats /usr/lib, not /etc.
	systemdRuntime = "/run/systemd/system"
	// lastRoot is where systemd goes when all is ended and unmounted, for its `shutdown` to have the last word.
	lastRoot = "/run/initramfs"
	// ShutdownName is the argv[0] with which systemd executes it.
	ShutdownName = "/shutdown"
)

// prepareSystemd hides the masked units and puts this program at the end of every shutdown, also that of `systemctl poweroff -f`.
func (b *boot) prepareSystemd() error {
	if err := os.MkdirAll(systemdRuntime, 0o755); err != nil {
		return err
	}
	for _, unit := range b.config.Mask {
		if err := os.Symlink("/dev/null", filepath.Join(systemdRuntime, unit)); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("mask %s: %w", unit, err)
		}
	}
	if err := os.MkdirAll(lastRoot, 0o755); err != nil {
		return err
	}
	return os.Link(Program, lastRoot+ShutdownName)
}

// Shutdown is the end of a systemd, whatever it was asked for: on x86 only a reset ends Firecracker, a guest that powers
// off would spin for ever.
func Shutdown() { end(nil) }
