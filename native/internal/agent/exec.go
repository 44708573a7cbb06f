package agent

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const upgradeTo = "banger-exec"

// startRequest is the payload of the start frame.
type startRequest struct {
	Argv      []string          `json:"argv"`
	Env       map[string]string `json:"env"`
	Cwd       string            `json:"cwd"`
	User      string            `json:"user"`
	TTY       *ttyRequest       `json:"tty"`
	TimeoutMs int64             `json:"timeoutMs"`
	// StdinAcks asks for a frame 0x14 for each piece of standard input the command has taken.
	StdinAcks bool `json:"stdinAcks"`
}

type windowSize struct {
	Rows uint16 `json:"rows"`
	Cols uint16 `json:"cols"`
}

type ttyRequest struct {
	windowSize
	Term string `json:"term"`
}

// exitReport is the payload of the exit frame.
type exitReport struct {
	Code     int    `json:"code"`
	Signal   int    `json:"signal"`
	TimedOut bool   `json:"timedOut"`
	Error    string `json:"error"`
}

func (a *Agent) exec(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), upgradeTo) || !strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade") {
		fail(w, http.StatusBadRequest, fmt.Errorf("want Connection: Upgrade and Upgrade: %s", upgradeTo))
		return
	}
	select {
	case a.execs <- struct{}{}:
		defer func() { <-a.execs }()
	default:
		fail(w, http.StatusServiceUnavailable, fmt.Errorf("%d commands run already", maxExecs))
		return
	}
	conn, stream, err := http.NewResponseController(w).Hijack()
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(headerTimeout))
	out := &frameWriter{w: conn}
	if _, err := fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", upgradeTo); err != nil {
		return
	}
	request, err := readStart(stream.Reader)
	_ = conn.SetDeadline(time.Time{})
	if err != nil {
		out.writeJSON(frameExit, exitReport{Code: codeCannotRun, Error: err.Error()})
		drain(stream.Reader)
		return
	}
	run(request, a.environment, stream.Reader, out)
}

func readStart(in *bufio.Reader) (*startRequest, error) {
	t, payload, err := readFrame(in)
	if err != nil {
		return nil, fmt.Errorf("read the start frame: %w", err)
	}
	if t != frameStart {
		return nil, fmt.Errorf("frame %#02x comes before the start frame", t)
	}
	var request startRequest
	if err := json.Unmarshal(payload, &request); err != nil {
		return nil, fmt.Errorf("decode the start frame: %w", err)
	}
	return &request, nil
}

// run starts the command and serves the stream until the host closes it. The host does so once it has the exit frame;
// were the guest to close first, Firecracker would give a slow reader two seconds for what is still on its way.
func run(request *startRequest, image map[string]string, in *bufio.Reader, out *frameWriter) {
	c, report := start(request, image)
	if c == nil {
		out.writeJSON(frameExit, report)
		drain(in)
		return
	}
	out.writeJSON(frameStarted, map[string]int{"pid": c.pid()})
	var acks *frameWriter
	if request.StdinAcks {
		acks = out
	}
	input := newStdinQueue(c.stdin, c.tty != nil, acks)
	go input.feed()

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		out.writeJSON(frameExit, c.finish(out))
	}()
	c.note(serveInput(in, c, input))
	select {
	case <-ended:
	default:
		out.abandon()
		c.hangUp()
		<-ended
	}
	input.close()
}

// serveInput obeys the host's frames until the stream ends or is not the protocol's.
func serveInput(in *bufio.Reader, c *command, input *stdinQueue) error {
	for {
		t, payload, err := readFrame(in)
		if err != nil {
			return err
		}
		switch t {
		case frameStdin:
			input.put(payload)
		case frameSignal:
			c.note(c.signal(string(payload)))
		case frameSize:
			var size windowSize
			err := json.Unmarshal(payload, &size)
			if err == nil {
				err = c.resize(size)
			}
			c.note(err)
		default:
			return fmt.Errorf("frame %#02x is not one a host sends here", t)
		}
	}
}

func drain(in *bufio.Reader) { _, _ = io.Copy(io.Discard, in) }
