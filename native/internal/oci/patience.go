package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

var errSilent = fmt.Errorf("it sends nothing any more: %w", io.ErrUnexpectedEOF)

// patience ends a request whose answer does not begin in time, or stops coming; a slow one that comes is waited for.
type patience struct {
	inner   http.RoundTripper
	silence time.Duration
}

func (p *Pull) patient(t *http.Transport) http.RoundTripper {
	t.ResponseHeaderTimeout = p.Silence
	return &patience{inner: t, silence: p.Silence}
}

func (p *patience) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	response, err := p.inner.RoundTrip(request.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	silent := time.AfterFunc(p.silence, func() { cancel(errSilent) })
	response.Body = &watched{body: response.Body, ctx: ctx, cancel: cancel, timer: silent, silence: p.silence}
	return response, nil
}

// watched puts the end of patience off with everything that comes.
type watched struct {
	body    io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	silence time.Duration
}

// Read prefers our own reason for giving a connection up over what the connection says of it.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.body.Read(b)
	if n > 0 {
		w.timer.Reset(w.silence)
	}
	if cause := context.Cause(w.ctx); err != nil && err != io.EOF && errors.Is(cause, errSilent) {
		err = cause
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	w.cancel(nil)
	return w.body.Close()
}
