package agent

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"time"
)

const (
	// stall is how long a transfer may stand still.
	stall = 2 * time.Minute
	// readAhead is how many bytes are taken at a time.
	readAhead = 256 << 10
	// unreadBody is how much of a refused upload is still taken, so that the host gets to read the refusal.
	unreadTime = 10 * time.Second
)

// errMember marks an archive that must not be unpacked, as against a disk that cannot take it.
var errMember = errors.New("refused")

func (a *Agent) putFiles(w http.ResponseWriter, r *http.Request) {
	dir := r.URL.Query().Get("path")
	if !path.IsAbs(dir) {
		fail(w, http.StatusBadRequest, fmt.Errorf("path %q: want an absolute path", dir))
		return
	}
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	body := &stallReader{r: r.Body, control: control}
	// The archive is read by its blocks of 512 bytes, and each read of the connection moves its deadline.
	count, err := unpack(dir, tar.NewReader(bufio.NewReaderSize(body, readAhead)))
	if err == nil {
		// Past the archive's end there may be padding.
		_, err = io.Copy(io.Discard, body)
	}
	if err == nil {
		reply(w, http.StatusOK, count)
		return
	}
	status := http.StatusInternalServerError
	if errors.Is(err, errMember) || errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
		status = http.StatusBadRequest
	}
	w.Header().Set("Connection", "close")
	fail(w, status, err)
	_ = control.Flush()
	_ = control.SetReadDeadline(time.Now().Add(unreadTime))
	_, _ = io.Copy(io.Discard, r.Body)
}

// stallReader moves the deadline on with each read.
type stallReader struct {
	r       io.Reader
	control *http.ResponseController
}

func (s *stallReader) Read(p []byte) (int, error) {
	_ = s.control.SetReadDeadline(time.Now().Add(stall))
	return s.r.Read(p)
}
