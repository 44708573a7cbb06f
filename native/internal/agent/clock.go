package agent

import (
	"errors"
	"net/http"
	"time"

	"banger.dev/native/internal/clock"
)

const (
	// clockTolerance is more than a message over vsock takes.
	clockTolerance = 200 * time.Millisecond
	// maxClock is the year 2200 in milliseconds: the kernel takes no time that is too far away.
	maxClock = 7_258_118_400_000
)

func (a *Agent) clock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		UnixMs int64 `json:"unixMs"`
	}
	if err := decode(w, r, &body); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	if body.UnixMs <= 0 || body.UnixMs > maxClock {
		fail(w, http.StatusBadRequest, errors.New("unixMs: want milliseconds since 1970"))
		return
	}
	if err := clock.Follow(time.UnixMilli(body.UnixMs), clockTolerance); err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
