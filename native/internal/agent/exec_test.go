package agent

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOutputAndCodes(t *testing.T) {
	g := newGuest(t)
	script := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(script, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		request      startRequest
		out, err     string
		code, signal int
		says         string
	}{
		"both streams":     {request: startRequest{Argv: []string{"sh", "-c", "echo out; echo err >&2; exit 3"}}, out: "out\n", err: "err\n", code: 3},
		"not found":        {request: startRequest{Argv: []string{"no-such-program"}}, code: 127, says: "not found"},
		"no such path":     {request: startRequest{Argv: []string{"/no/such/program"}}, code: 127, says: "no such file"},
		"not executable":   {request: startRequest{Argv: []string{script}}, code: 126, says: "permission denied"},
		"found, unusable":  {request: startRequest{Argv: []string{"plain"}, Env: map[string]string{"PATH": filepath.Dir(script)}}, code: 126, says: "not executable"},
		"unknown user":     {request: startRequest{Argv: []string{"true"}, User: "nobody-at-all"}, code: 126, says: `no user "nobody-at-all"`},
		"unknown cwd":      {request: startRequest{Argv: []string{"true"}, Cwd: "/no/such/dir"}, code: 126, says: "/no/such/dir"},
		"empty name":       {request: startRequest{Argv: []string{""}}, code: 126, says: "empty"},
		"killed":           {request: startRequest{Argv: []string{"sh", "-c", "kill -9 $$"}}, code: 137, signal: 9},
		"environment, cwd": {request: startRequest{Argv: []string{"sh", "-c", "pwd; echo $K $LANG $IMAGE_SET"}, Env: map[string]string{"K": "v"}, Cwd: "/usr"}, out: "/usr\nv C.UTF-8 by the image\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := g.start(c.request).finish()
			if r.stdout.String() != c.out || r.stderr.String() != c.err {
				t.Errorf("out %q err %q", &r.stdout, &r.stderr)
			}
			if r.exit.Code != c.code || r.exit.Signal != c.signal || !strings.Contains(r.exit.Error, c.says) || (c.says == "") != (r.exit.Error == "") {
				t.Errorf("%+v", r.exit)
			}
		})
	}
}

func TestStdinReachesItsEnd(t *testing.T) {
	s := newGuest(t).start(startRequest{Argv: []string{"cat"}})
	s.send(frameStdin, []byte("one "))
	s.send(frameStdin, []byte("two"))
	s.send(frameStdin, nil)
	if r := s.finish(); r.stdout.String() != "one two" || r.exit.Code != 0 {
		t.Errorf("%q %+v", &r.stdout, r.exit)
	}
}

func TestTenMebibytesArriveExactly(t *testing.T) {
	data := make([]byte, 10<<20)
	rand.Read(data)
	s := newGuest(t).start(startRequest{Argv: []string{"cat"}, StdinAcks: true})
	began := time.Now()
	go func() {
		for chunk := range slices.Chunk(data, maxPayload) {
			s.send(frameStdin, chunk)
		}
		s.send(frameStdin, nil)
	}()
	r := s.finish()
	t.Logf("there and back in %s", time.Since(began).Round(time.Millisecond))
	if !bytes.Equal(r.stdout.Bytes(), data) || r.exit.Code != 0 || r.taken != len(data) {
		t.Errorf("%d bytes, %d taken, %+v", r.stdout.Len(), r.taken, r.exit)
	}
}

func TestSlowReaderLosesNothing(t *testing.T) {
	const size = 400 << 10 // more than the sockets and the pipe hold
	s := newGuest(t).shell(fmt.Sprintf("head -c %d /dev/zero; sleep 30 &", size))
	s.await(frameStarted)
	time.Sleep(2 * lateOutput)
	if r := s.finish(); r.stdout.Len() != size {
		t.Errorf("%d of %d bytes", r.stdout.Len(), size)
	}
}

func TestBackgroundProcessDelaysExitBriefly(t *testing.T) {
	began := time.Now()
	r := newGuest(t).shell("sleep 20 & echo done").finish()
	if took := time.Since(began); took > 5*time.Second || r.stdout.String() != "done\n" {
		t.Errorf("%s, %q", took, &r.stdout)
	}
}

func TestSignalReachesTheGroup(t *testing.T) {
	s := newGuest(t).shell("trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done")
	s.await(frameStdout)
	s.send(frameSignal, []byte("NONSENSE"))
	s.send(frameSignal, []byte("INT"))
	if r := s.finish(); r.exit.Code != 7 || !strings.Contains(r.exit.Error, "NONSENSE") {
		t.Errorf("%+v", r.exit)
	}
}

// A command that reads nothing must still be reached, and its host's end noticed.
func TestSignalPassesUnreadInput(t *testing.T) {
	s := newGuest(t).start(startRequest{Argv: []string{"sleep", "20"}, StdinAcks: true})
	s.await(frameStarted)
	for range stdinWindow / outputChunk {
		s.send(frameStdin, make([]byte, outputChunk))
	}
	s.send(frameSignal, []byte("TERM"))
	if r := s.finish(); r.exit.Signal != int(syscall.SIGTERM) || r.exit.Code != 143 {
		t.Errorf("%+v", r.exit)
	}
}

func TestTimeout(t *testing.T) {
	g := newGuest(t)
	if r := g.start(startRequest{Argv: []string{"sleep", "20"}, TimeoutMs: 50}).finish(); r.exit.Code != 124 || !r.exit.TimedOut {
		t.Errorf("%+v", r.exit)
	}
	began := time.Now()
	r := g.start(startRequest{Argv: []string{"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}, TimeoutMs: 50}).finish()
	if r.exit.Code != 124 || r.exit.Signal != int(syscall.SIGKILL) || time.Since(began) < afterTerm {
		t.Errorf("%+v after %s", r.exit, time.Since(began))
	}
}

func TestDisconnectHangsUp(t *testing.T) {
	for name, tty := range map[string]*ttyRequest{"pipes": nil, "terminal": {windowSize{24, 80}, "dumb"}} {
		t.Run(name, func(t *testing.T) {
			mark := filepath.Join(t.TempDir(), "hup")
			s := newGuest(t).start(startRequest{
				Argv: []string{"sh", "-c", "trap 'echo > " + mark + "; exit' HUP; echo ready; while :; do sleep 0.05; done"}, TTY: tty,
			})
			s.await(frameStdout)
			s.conn.Close()
			for range 100 {
				if _, err := os.Stat(mark); err == nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Error("no HUP within 5 s")
		})
	}
}

func TestTerminal(t *testing.T) {
	s := newGuest(t).start(startRequest{
		Argv: []string{"sh", "-c", "stty size; echo $TERM; read line; stty size; echo got $line; cat"},
		TTY:  &ttyRequest{windowSize{33, 101}, "xterm"},
	})
	s.await(frameStdout)
	s.send(frameSize, []byte(`{"rows":40,"cols":120}`))
	s.send(frameStdin, []byte("hello\n"))
	s.send(frameStdin, nil)
	r := s.finish()
	if got := r.stdout.String(); !strings.Contains(got, "40 120\r\ngot hello\r\n") || r.exit.Code != 0 {
		t.Errorf("%q %+v", got, r.exit)
	}
}

func TestStartFrameIsRequired(t *testing.T) {
	for name, send := range map[string]func(*session){
		"another frame": func(s *session) { s.send(frameStdin, []byte("x")) },
		"not JSON":      func(s *session) { s.send(frameStart, []byte("{")) },
		"too large":     func(s *session) { io.WriteString(s.conn, "\x01\xff\xff\xff\xff") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newGuest(t).open()
			send(s)
			var exit exitReport
			if kind, payload := s.next(); kind != frameExit || json.Unmarshal(payload, &exit) != nil || exit.Code != 126 || exit.Error == "" {
				t.Errorf("%#02x %s", kind, payload)
			}
		})
	}
}
