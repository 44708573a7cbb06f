// Package host is the guest's way to the daemon on its host: HTTP over vsock.
package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mdlayher/vsock"
	"golang.org/x/sys/unix"

	"banger.dev/native/internal/config"
)

// Port is the vsock port of the host (CID 2) on which the daemon listens.
const Port = 1025

const (
	firstPause     = 10 * time.Millisecond
	longestPause   = time.Second
	requestTimeout = 10 * time.Second
	// deviceDeadline is how long the vsock device may take to appear; a VM without one would ask for ever.
	deviceDeadline = 30 * time.Second
)

// final marks an answer that asking again would not change.
type final struct{ error }

// Client talks to one host.
type Client struct {
	http http.Client
	// retrying is told of the first failure and of each tenth one after it.
	retrying func(error)
}

// New returns a client for the host of this VM.
func New(retrying func(error)) *Client {
	return newClient(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return vsock.DialContext(ctx, vsock.Host, Port, nil)
	}, retrying)
}

func newClient(dial func(context.Context, string, string) (net.Conn, error), retrying func(error)) *Client {
	return &Client{
		http:     http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: requestTimeout},
		retrying: retrying,
	}
}

// Config asks for this guest's configuration until the host gives it.
func (c *Client) Config(ctx context.Context) (cfg *config.Config, err error) {
	err = c.untilAnswered(ctx, func() error {
		return c.do(ctx, http.MethodGet, "/v1/config", nil, func(body io.Reader) error {
			cfg, err = config.Decode(body)
			if err != nil {
				return final{err}
			}
			return nil
		})
	})
	return cfg, err
}

// Ready reports that the agent listens, until the host has taken note.
func (c *Client) Ready(ctx context.Context, health any) error {
	return c.untilAnswered(ctx, func() error { return c.do(ctx, http.MethodPost, "/v1/ready", health, nil) })
}

// Failed reports, once, why this guest cannot run.
func (c *Client) Failed(ctx context.Context, step, message string) error {
	return c.do(ctx, http.MethodPost, "/v1/failed", map[string]string{"step": step, "message": message}, nil)
}

func (c *Client) untilAnswered(ctx context.Context, ask func() error) error {
	pause, began := firstPause, time.Now()
	for n := 0; ; n++ {
		err := ask()
		if err == nil || errors.As(err, &final{}) {
			return err
		}
		if errors.Is(err, unix.ENODEV) && time.Since(began) > deviceDeadline {
			return fmt.Errorf("no vsock device appeared within %s: %w", deviceDeadline, err)
		}
		if n%10 == 0 {
			c.retrying(err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
}

func (c *Client) do(ctx context.Context, method, path string, in any, out func(io.Reader) error) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return fmt.Errorf("encode %s: %w", path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://host"+path, &body)
	if err != nil {
		return err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1024))
		err := fmt.Errorf("%s %s: %s: %s", method, path, res.Status, strings.TrimSpace(string(text)))
		if res.StatusCode/100 == 4 {
			return final{err}
		}
		return err
	}
	if out == nil {
		return nil
	}
	return out(res.Body)
}
