package agent

import (
	"net/http"
	"os"
	"strconv"
	"strings"
)

// memory answers with what the guest's kernel has of it and what programs may still take (MemAvailable), both in KiB.
func (a *Agent) memory(w http.ResponseWriter, _ *http.Request) {
	table, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	reply(w, http.StatusOK, map[string]int64{"totalKiB": kibOf(string(table), "MemTotal"), "availableKiB": kibOf(string(table), "MemAvailable")})
}

// kibOf reads a line of /proc/meminfo, all of whose numbers are KiB.
func kibOf(table, name string) int64 {
	for line := range strings.Lines(table) {
		if key, value, ok := strings.Cut(line, ":"); ok && key == name {
			number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
			kib, _ := strconv.ParseInt(number, 10, 64)
			return kib
		}
	}
	return 0
}
