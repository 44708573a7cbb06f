package agent

import (
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/config"
	"banger.dev/native/internal/initsys"
)

// Health is the answer to GET /v1/health and the body of POST /v1/ready.
type Health struct {
	Protocol int          `json:"protocol"`
	Version  string       `json:"version"`
	BootID   string       `json:"bootId"`
	Release  string       `json:"release"`
	Init     initsys.Kind `json:"init"`
	UptimeMs int64        `json:"uptimeMs"`
	Warnings []string     `json:"warnings"`
}

// Health describes the guest now.
func (a *Agent) Health() (Health, error) {
	bootID, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Health{}, err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return Health{}, err
	}
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return Health{}, err
	}
	return Health{
		Protocol: config.Protocol,
		Version:  a.version,
		BootID:   strings.TrimSpace(string(bootID)),
		Release:  unix.ByteSliceToString(name.Release[:]),
		Init:     a.init,
		UptimeMs: time.Duration(up.Nano()).Milliseconds(),
		Warnings: a.warnings,
	}, nil
}

func (a *Agent) health(w http.ResponseWriter, _ *http.Request) {
	h, err := a.Health()
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	reply(w, http.StatusOK, h)
}
