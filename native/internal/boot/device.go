package boot

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// deviceDeadline is generous: virtio_mmio probes in milliseconds, an emulated host may take seconds.
const deviceDeadline = 30 * time.Second

// awaitDevice returns once path exists. Devices appear after their driver has been loaded, at the kernel's leisure;
// every one is announced by a uevent.
func awaitDevice(path string) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return fmt.Errorf("open the uevent socket: %w", err)
	}
	defer unix.Close(fd)
	// Group 1 carries the kernel's own events.
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		return fmt.Errorf("bind the uevent socket: %w", err)
	}
	event := make([]byte, 8192)
	for deadline := time.Now().Add(deviceDeadline); ; {
		// Looked at after the bind and after each event, so that no appearance is missed.
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("%s did not appear within %s", path, deviceDeadline)
		}
		timeout := unix.NsecToTimeval(left.Nanoseconds())
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
			return fmt.Errorf("uevent timeout: %w", err)
		}
		_, _, err := unix.Recvfrom(fd, event, 0)
		// ENOBUFS: events were dropped, so look again.
		if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOBUFS) {
			return fmt.Errorf("receive uevent: %w", err)
		}
	}
}
