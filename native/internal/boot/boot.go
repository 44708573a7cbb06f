// Package boot takes a VM from the start of its initramfs to the init of its image.
package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/config"
	"banger.dev/native/internal/host"
)

// newRoot is where the image is mounted until it becomes /.
const newRoot = "/newroot"

type boot struct {
	host     *host.Client
	config   *config.Config
	warnings []string
}

// Run is PID 1 of the initramfs. It does not return: it becomes the image's init, or it ends the VM.
func Run() {
	b := &boot{}
	b.host = host.New(func(err error) { console("waiting for the host: %v", err) })
	steps := []struct {
		name string
		do   func() error
	}{
		{"kernel file systems", b.mountKernel},
		{"kernel modules", b.loadModules},
		{"root file system", b.mountRoot},
		{"configuration", b.pullConfig},
		{"switch to the root", b.switchRoot},
		{"mounts", b.mountConfigured},
		{"host name and resolver", b.identify},
		{"network", b.network},
		{"files", b.writeFiles},
		{"what the image expects", b.prepareImage},
		{"hand over to init", b.handOver},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			fail(b.host, step.name, err)
		}
	}
}

func (b *boot) pullConfig() (err error) {
	b.config, err = b.host.Config(context.Background())
	return err
}

// prepareImage sees to what an image may have that a VM is not like. None of it keeps the VM from booting.
func (b *boot) prepareImage() error {
	b.makeTmp()
	b.zone()
	b.passOverDevices()
	b.hookProfile()
	return nil
}

func (b *boot) warn(format string, args ...any) {
	b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
	console("warning: "+format, args...)
}

// console writes one line to the serial console, which is standard error of PID 1.
func console(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "banger: "+format+"\n", args...)
}

// fail says everywhere why this guest cannot run, and ends the VM.
func fail(h *host.Client, step string, err error) {
	console("cannot start, %s: %v", step, err)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if reportErr := h.Failed(ctx, step, err.Error()); reportErr != nil {
		console("cannot tell the host: %v", reportErr)
	}
	end(nil)
}

// end resets the machine, which ends Firecracker, with what is mounted written and clean.
func end(mounts []config.Mount) {
	unix.Sync()
	for i := len(mounts) - 1; i >= 0; i-- {
		remountReadOnly(mounts[i].At)
	}
	remountReadOnly("/")
	err := unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	console("cannot reset the machine: %v", err)
	// PID 1 must not go on; its exit is a kernel panic, and panic=1 resets the machine too.
	os.Exit(1)
}

func remountReadOnly(at string) {
	if err := unix.Mount("", at, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil && !errors.Is(err, unix.EINVAL) {
		console("remount %s read-only: %v", at, err)
	}
}
