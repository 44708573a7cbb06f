package boot

import (
	"errors"
	"os"
	"os/signal"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// graceful is how long processes have between TERM and KILL.
const graceful = 3 * time.Second

// reap is the init of an image that has none: it buries orphans until it is asked to end, by whichever signal.
func reap() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGCHLD, unix.SIGTERM, unix.SIGINT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPWR)
	for s := range signals {
		if s != unix.SIGCHLD {
			break
		}
		bury()
	}
	_ = unix.Kill(-1, unix.SIGTERM)
	for deadline := time.After(graceful); othersRun(); {
		select {
		case <-signals:
			bury()
			continue
		case <-deadline:
		}
		break
	}
	_ = unix.Kill(-1, unix.SIGKILL)
	unix.Sync()
	// In a PID namespace this ends the namespace, not the machine.
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	os.Exit(0)
}

func bury() {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if pid <= 0 && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// othersRun tells whether anything but this process and the agent, which outlives TERM, is left in the namespace.
func othersRun() bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	n := 0
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			n++
		}
	}
	return n > 2
}
