package agent

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"path"
	"time"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/ext4"
	"banger.dev/native/internal/initsys"
)

// askAgain is the pause between two signals to an init: one that has not yet installed its handlers never sees the first.
const askAgain = 2 * time.Second

func (a *Agent) shutdown(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Action string `json:"action"`
	}
	if err := decode(w, r, &body); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if body.Action != "stop" && body.Action != "reboot" {
		fail(w, http.StatusBadRequest, fmt.Errorf("action %q: want stop or reboot", body.Action))
		return
	}
	unix.Sync()
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush()
	go a.machine.GoDown()
}

// GoDown has the guest's init end everything, or resets the machine where that cannot be done.
func GoDown(init initsys.Kind) {
	for {
		if err := init.Reboot(); err != nil {
			log.Printf("init %q cannot be asked to go down, resetting: %v", init, err)
			unix.Sync()
			log.Printf("reset: %v", unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART))
			return
		}
		if !init.Signalled() {
			return
		}
		time.Sleep(askAgain)
	}
}

func (a *Agent) grow(w http.ResponseWriter, r *http.Request) {
	var body struct {
		At string `json:"at"`
	}
	if err := decode(w, r, &body); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if !path.IsAbs(body.At) {
		fail(w, http.StatusBadRequest, fmt.Errorf("at %q: want an absolute path", body.At))
		return
	}
	device, err := ext4.DeviceOf(body.At)
	if errors.Is(err, unix.ENOENT) {
		fail(w, http.StatusNotFound, err)
		return
	}
	if err == nil {
		var size uint64
		if size, err = ext4.Grow(device, body.At); err == nil {
			reply(w, http.StatusOK, map[string]uint64{"bytes": size})
			return
		}
	}
	fail(w, http.StatusInternalServerError, err)
}
