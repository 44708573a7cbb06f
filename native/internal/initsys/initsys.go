// Package initsys knows the init systems of images: which one an image has, and how each is asked to go down in order.
package initsys

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	securejoin "github.com/cyphar/filepath-securejoin"
	"golang.org/x/sys/unix"
)

// Kind names an init system as health reports it.
type Kind string

const (
	Systemd Kind = "systemd"
	Runit   Kind = "runit"
	OpenRC  Kind = "openrc"
	SysV    Kind = "sysvinit"
	Busybox Kind = "busybox"
	// None: the image has no init, the guest program reaps.
	None  Kind = "none"
	Other Kind = "other"
)

// Init is an image's init: its kind and the path to execute, empty for None.
type Init struct {
	Kind Kind
	Path string
}

var candidates = []string{"/sbin/init", "/etc/init", "/bin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd"}

// Detect finds the init of the image unpacked at root.
func Detect(root string) Init {
	for _, path := range candidates {
		real, info, ok := executable(root, path)
		if !ok {
			continue
		}
		return Init{Kind: kindOf(root, real, info), Path: path}
	}
	return Init{Kind: None}
}

func kindOf(root, real string, info os.FileInfo) Kind {
	switch filepath.Base(real) {
	case "systemd":
		return Systemd
	case "busybox":
		return Busybox
	case "runit-init", "runit":
		return Runit
	case "openrc-init":
		return OpenRC
	}
	// Some images install busybox's applets as hard links.
	if _, busybox, ok := executable(root, "/bin/busybox"); ok && os.SameFile(info, busybox) {
		return Busybox
	}
	if _, _, ok := executable(root, "/sbin/telinit"); ok {
		return SysV
	}
	return Other
}

// executable resolves a path with every symlink taken relative to root.
func executable(root, path string) (string, os.FileInfo, bool) {
	real, err := securejoin.SecureJoin(root, path)
	if err != nil {
		return "", nil, false
	}
	info, err := os.Lstat(real)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", nil, false
	}
	return real, info, true
}

// glibc keeps two real-time signals for itself, so its SIGRTMIN is the kernel's 32 plus 2.
const sigRTMin = unix.Signal(34)

var signals = map[Kind]unix.Signal{
	Systemd: sigRTMin + 5, // starts reboot.target
	Busybox: unix.SIGTERM,
	None:    unix.SIGTERM,
}

var commands = map[Kind][][]string{
	Runit:  {{"runit-init", "6"}, {"init", "6"}},
	OpenRC: {{"openrc-shutdown", "-r", "now"}},
	SysV:   {{"shutdown", "-r", "now"}},
	Other:  {{"shutdown", "-r", "now"}, {"reboot"}},
}

// Signalled tells whether the init is asked by a signal, which may be sent again, and not by a command.
func (k Kind) Signalled() bool { return signals[k] != 0 }

// Reboot asks the running init to go down in order and reset the machine: on x86 only a reset ends Firecracker.
func (k Kind) Reboot() error {
	if s := signals[k]; s != 0 {
		return unix.Kill(1, s)
	}
	err := fmt.Errorf("init %q: no way to ask it", k)
	for _, argv := range commands[k] {
		path, lookErr := exec.LookPath(argv[0])
		if lookErr != nil {
			err = lookErr
			continue
		}
		out, runErr := exec.Command(path, argv[1:]...).CombinedOutput()
		if runErr == nil {
			return nil
		}
		err = errors.Join(runErr, fmt.Errorf("%s: %.200s", argv[0], out))
	}
	return err
}
