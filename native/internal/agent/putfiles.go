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

	"banger.dev/native/internal/untar"
)

const (
	// stall is how long a transfer may stand still.
	stall = 2 * time.Minute
	// readAhead is how many bytes are taken at a time.
	readAhead = 256 << 10
	// unreadTime is how long a refused upload is still taken.
	unreadTime = 10 * time.Second
)

// putFiles unpacks into a directory that is made when it is not there, putCopy as cp(1) would copy to the path.
func (a *Agent) putFiles(w http.ResponseWriter, r *http.Request) {
	put(w, r, func(dir string) (untar.Target, error) { return untar.Target{Dir: dir, Modes: untar.AllModes}, nil })
}

func (a *Agent) putCopy(w http.ResponseWriter, r *http.Request) {
	put(w, r, func(name string) (untar.Target, error) { return untar.CopyTo(name, untar.AllModes) })
}

func put(w http.ResponseWriter, r *http.Request, targetAt func(name string) (untar.Target, error)) {
	name := r.URL.Query().Get("path")
	if !path.IsAbs(name) {
		refuse(w, r, http.StatusBadRequest, fmt.Errorf("path %q: want an absolute path", name))
		return
	}
	target, err := targetAt(name)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, err)
		return
	}
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	body := &stallReader{r: r.Body, control: control}
	// The archive is read by its blocks of 512 bytes, and each read of the connection moves its deadline.
	count, err := untar.Into(target, tar.NewReader(bufio.NewReaderSize(body, readAhead)))
	if err == nil {
		// Past the archive's end there may be padding.
		_, err = io.Copy(io.Discard, body)
	}
	if err == nil {
		reply(w, http.StatusOK, count)
		return
	}
	status := http.StatusInternalServerError
	if errors.Is(err, untar.ErrMember) || errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
		status = http.StatusBadRequest
	}
	refuse(w, r, status, err)
}

// refuse answers before all of an upload is read, and takes more of it, so that the host gets to read the refusal.
func refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
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
