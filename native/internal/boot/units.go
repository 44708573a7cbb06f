package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// systemdRuntime holds units that end with the boot; it beats /usr/lib, not /etc.
const systemdRuntime = "/run/systemd/system"

var systemdVendor = []string{"/usr/lib/systemd/system", "/lib/systemd/system"}

// prepareSystemd hides the masked units, and lets poweroff and halt mean reboot: on x86 only a reset ends Firecracker,
// a guest that powers off would spin for ever.
func (b *boot) prepareSystemd() error {
	if err := os.MkdirAll(systemdRuntime, 0o755); err != nil {
		return err
	}
	for _, unit := range b.config.Mask {
		if err := os.Symlink("/dev/null", filepath.Join(systemdRuntime, unit)); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("mask %s: %w", unit, err)
		}
	}
	reboot, err := vendorUnit("reboot.target")
	if err != nil {
		return err
	}
	for _, unit := range []string{"poweroff.target", "halt.target"} {
		if err := os.Symlink(reboot, filepath.Join(systemdRuntime, unit)); err != nil {
			return fmt.Errorf("let %s mean reboot: %w", unit, err)
		}
	}
	return nil
}

func vendorUnit(name string) (string, error) {
	for _, dir := range systemdVendor {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is in none of %v", name, systemdVendor)
}
