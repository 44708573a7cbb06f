// Package clock keeps the guest's clock with the host's. A guest sees nothing of a host that slept, or whose clock was set.
package clock

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// now and set are the kernel's; tests have their own.
var (
	now = time.Now
	set = unix.Settimeofday
)

// Follow sets the clock to what the host says, unless it is that close already.
func Follow(host time.Time, tolerance time.Duration) error {
	if host.Unix() <= 0 || now().Sub(host).Abs() <= tolerance {
		return nil
	}
	value := unix.NsecToTimeval(host.UnixNano())
	if err := set(&value); err != nil {
		return fmt.Errorf("set the clock to %s: %w", host.UTC().Format(time.RFC3339), err)
	}
	return nil
}
