package agent

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"banger.dev/native/internal/initsys"
)

const (
	sshPort = 22
	// maxWait bounds how long a host may have the agent wait for an sshd.
	maxWait = 60 * time.Second
	// lookAgain is the pause between two looks: the kernel announces no socket that begins to listen.
	lookAgain = 100 * time.Millisecond
)

// The programs that distributions have as an ssh server.
var sshServers = []string{"/usr/sbin/sshd", "/usr/bin/sshd", "/sbin/sshd", "/bin/sshd", "/usr/local/sbin/sshd", "/run/current-system/sw/bin/sshd", "/usr/sbin/dropbear", "/usr/bin/dropbear", "/sbin/dropbear"}

// sshd waits for one to listen. Its answer also names the terminal that the session should have.
func (a *Agent) sshd(w http.ResponseWriter, r *http.Request) {
	wait, err := strconv.Atoi(r.FormValue("waitMs"))
	if err != nil || wait < 0 || wait > int(maxWait.Milliseconds()) {
		fail(w, http.StatusBadRequest, fmt.Errorf("waitMs: want 0 to %d", maxWait.Milliseconds()))
		return
	}
	give := func(state string) {
		reply(w, http.StatusOK, map[string]string{"state": state, "term": knownTerm("/", r.FormValue("term"), []string{"HOME=/root"})})
	}
	deadline := time.After(time.Duration(wait) * time.Millisecond)
	for {
		if listens("/proc/net", sshPort) {
			give("listening")
			return
		}
		if !hasSSHServer("/") {
			give("missing")
			return
		}
		if a.init == initsys.None {
			give("silent") // nobody there would start it
			return
		}
		select {
		case <-time.After(lookAgain):
		case <-deadline:
			give("silent")
			return
		case <-r.Context().Done():
			return
		}
	}
}

func hasSSHServer(root string) bool {
	for _, path := range sshServers {
		if info, err := os.Stat(filepath.Join(root, path)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// listens tells whether something waits on a port of TCP; net is /proc/net.
func listens(net string, port uint16) bool {
	for at := range open(net, "tcp") {
		if at.Port() == port {
			return true
		}
	}
	return false
}
