package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

const (
	// attempts at one thing, without any progress in between.
	attempts = 5
	// maxWait is the longest that we wait because a registry asks for it.
	maxWait = time.Minute
)

// firstWait is doubled with each attempt. A variable for the tests' sake.
var firstWait = 500 * time.Millisecond

// retried does something until it succeeds, or fails in a way that time does not mend. Progress gives it new attempts.
func (c *client) retried(ctx context.Context, what string, act func(context.Context) (progress bool, err error)) error {
	wait := firstWait
	for left := attempts; ; wait *= 2 {
		attempt, cancel := context.WithCancel(ctx)
		progress, err := act(attempt)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if left--; progress {
			left, wait = attempts-1, firstWait
		}
		if left <= 0 || !temporary(err) {
			return c.explain(err, c.host, what)
		}
		select {
		case <-time.After(min(max(wait, retryAfter(err)), maxWait)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// answer is a registry's refusal of a blob, with how long it wants us to wait.
type answer struct {
	status int
	after  time.Duration
}

func (a *answer) Error() string {
	return fmt.Sprintf("status %d %s", a.status, http.StatusText(a.status))
}

func retryAfter(err error) time.Duration {
	if a := (*answer)(nil); errors.As(err, &a) {
		return a.after
	}
	return 0
}

func newAnswer(response *http.Response) *answer {
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	return &answer{status: response.StatusCode, after: time.Duration(seconds) * time.Second}
}

func statusOf(err error) int {
	if a := (*answer)(nil); errors.As(err, &a) {
		return a.status
	}
	if e := (*transport.Error)(nil); errors.As(err, &e) {
		return e.StatusCode
	}
	return 0
}

// temporary tells of what may be over in a moment: broken connections, busy and failing servers.
func temporary(err error) bool {
	if status := statusOf(err); status != 0 {
		return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
	}
	if known(err) {
		return false
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// explain says what a registry's answer means.
func (p *Pull) explain(err error, host, what string) error {
	if f := (*Fault)(nil); errors.As(err, &f) {
		return f
	} else if known(err) {
		return err
	}
	switch status := statusOf(err); {
	case p.Reference == "" && status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		return fault(NotFound, "%s does not give %s (status %d)", host, what, status).mend("ask whoever keeps the catalog or the manifest that names it")
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && p.Logins[host].Failed != "":
		return fault(Unauthorized, "%s does not give %s to everybody (status %d), and there are no credentials: %s", host, what, status, p.Logins[host].Failed).
			mend("mend that credential helper, or docker login " + host + " without it; podman login " + host + " will do")
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fault(Unauthorized, "%s does not give %s to us (status %d)", host, what, status).
			mend("docker login " + host + ", if it is a private image; else check its name")
	case status == http.StatusNotFound:
		return fault(NotFound, "%s has no %s", host, what).mend("check the name and the tag")
	case status == http.StatusTooManyRequests:
		return fault(RateLimited, "%s has had too many requests from here", host).mend("docker login " + host + " raises the limit; else try again later. What was fetched is kept")
	case status >= 500:
		return fault(Registry, "%s fails (status %d)", host, status).mend("try again later. What was fetched is kept")
	case status != 0:
		return fault(Registry, "%s answers status %d", host, status)
	}
	return fault(Registry, "%s: %v", host, rootCause(err)).mend("check the network and the registry's name. What was fetched is kept")
}

// rootCause leaves out the request's method and address, which url.Error puts first.
func rootCause(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
