package agent

import (
	"fmt"
	"net/http"

	"banger.dev/native/internal/config"
)

func (a *Agent) hostname(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Hostname string `json:"hostname"`
	}
	if err := decode(w, r, &body); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if !config.IsHostname(body.Hostname) {
		fail(w, http.StatusBadRequest, fmt.Errorf("hostname %q is not a host name", body.Hostname))
		return
	}
	if err := a.machine.Rename(body.Hostname); err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
