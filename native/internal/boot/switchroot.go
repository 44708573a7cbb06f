package boot

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Program is this program's place in the running guest, on a tmpfs: nothing of it stays in the image.
const Program = "/run/banger/banger-guest"

// switchRoot makes the mounted image / and puts the program into its /run.
func (b *boot) switchRoot() error {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer program.Close()
	// The initramfs stays mounted under the new root for good, so its content is given back to memory.
	for _, path := range []string{modulesDir, "/init"} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	// These three are one instance each: they are mounted afresh in the new root.
	for _, m := range kernelMounts {
		if err := unix.Unmount(m.at, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", m.at, err)
		}
	}
	if err := unix.Chdir(newRoot); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move %s to /: %w", newRoot, err)
	}
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	if err := mountPseudo(kernelMounts); err != nil {
		return err
	}
	if err := mountPseudo(userMounts); err != nil {
		return err
	}
	return install(program)
}

func install(program io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(Program), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(Program, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, program); err != nil {
		return fmt.Errorf("copy the program to %s: %w", Program, err)
	}
	return out.Close()
}
