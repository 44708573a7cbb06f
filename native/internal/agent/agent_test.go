package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"banger.dev/native/internal/initsys"
)

// guest is an agent behind a unix socket.
type guest struct {
	t      *testing.T
	socket string
	downs  chan struct{}
	names  chan string
	client http.Client
}

func newGuest(t *testing.T) *guest {
	t.Helper()
	g := &guest{t: t, socket: filepath.Join(t.TempDir(), "s"), downs: make(chan struct{}, 8), names: make(chan string, 8)}
	listener, err := net.Listen("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	a := New("1.2.3", initsys.SysV, []string{"a warning"}, map[string]string{"IMAGE_SET": "by the image"}, Machine{GoDown: func() { g.downs <- struct{}{} }, Rename: func(name string) error {
		g.names <- name
		if name == "stuck" {
			return errors.New("no place for it")
		}
		return nil
	}})
	go a.Serve(listener)
	g.client.Transport = &http.Transport{
		DisableKeepAlives: true,
		Dial:              func(_, _ string) (net.Conn, error) { return net.Dial("unix", g.socket) },
	}
	return g
}

func (g *guest) do(method, path string, body io.Reader) (int, []byte) {
	g.t.Helper()
	request, err := http.NewRequest(method, "http://guest"+path, body)
	if err != nil {
		g.t.Fatal(err)
	}
	response, err := g.client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return response.StatusCode, content
}

// session is the host's end of one exec stream.
type session struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (g *guest) open() *session {
	g.t.Helper()
	conn, err := net.Dial("unix", g.socket)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, "GET /v1/exec HTTP/1.1\r\nHost: guest\r\nConnection: Upgrade\r\nUpgrade: banger-exec\r\n\r\n")
	s := &session{g.t, conn, bufio.NewReader(conn)}
	response, err := http.ReadResponse(s.in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		g.t.Fatalf("upgrade: %v %v", response, err)
	}
	return s
}

func (g *guest) start(r startRequest) *session {
	g.t.Helper()
	if r.User == "" {
		me, err := user.Current()
		if err != nil {
			g.t.Fatal(err)
		}
		r.User = me.Username
	}
	s := g.open()
	text, err := json.Marshal(r)
	if err != nil {
		g.t.Fatal(err)
	}
	s.send(frameStart, text)
	return s
}

func (g *guest) shell(script string) *session {
	return g.start(startRequest{Argv: []string{"sh", "-c", script}})
}

func (s *session) send(t frameType, payload []byte) {
	writer := frameWriter{w: s.conn}
	writer.writeFramed(t, append(make([]byte, frameHeader), payload...))
}

func (s *session) next() (frameType, []byte) {
	s.t.Helper()
	t, payload, err := readFrame(s.in)
	if err != nil {
		s.t.Fatal(err)
	}
	return t, payload
}

// await reads up to the frame t.
func (s *session) await(want frameType) []byte {
	s.t.Helper()
	for {
		if t, payload := s.next(); t == want {
			return payload
		}
	}
}

type result struct {
	stdout, stderr bytes.Buffer
	taken          int
	exit           exitReport
}

func (s *session) finish() *result {
	s.t.Helper()
	r := &result{}
	for {
		switch t, payload := s.next(); t {
		case frameStdout:
			r.stdout.Write(payload)
		case frameStderr:
			r.stderr.Write(payload)
		case frameTaken:
			r.taken += int(payload[0])<<24 | int(payload[1])<<16 | int(payload[2])<<8 | int(payload[3])
		case frameStarted:
		case frameExit:
			if err := json.Unmarshal(payload, &r.exit); err != nil {
				s.t.Fatal(err)
			}
			return r
		default:
			s.t.Fatalf("frame %#02x", t)
		}
	}
}

func TestHealth(t *testing.T) {
	status, body := newGuest(t).do("GET", "/v1/health", nil)
	var h Health
	if err := json.Unmarshal(body, &h); err != nil || status != 200 {
		t.Fatal(status, err)
	}
	if h.Protocol != 1 || h.Version != "1.2.3" || h.Init != "sysvinit" || len(h.BootID) != 36 || h.Release == "" || h.UptimeMs <= 0 || len(h.Warnings) != 1 {
		t.Errorf("%+v", h)
	}
}

func TestShutdownGoesDownOnce(t *testing.T) {
	g := newGuest(t)
	if status, body := g.do("POST", "/v1/shutdown", strings.NewReader(`{"action":"sleep"}`)); status != 400 {
		t.Error(status, string(body))
	}
	for range 2 {
		if status, body := g.do("POST", "/v1/shutdown", strings.NewReader(`{"action":"stop"}`)); status != 202 {
			t.Error(status, string(body))
		}
	}
	<-g.downs
	select {
	case <-g.downs:
		t.Error("went down twice")
	case <-time.After(50 * time.Millisecond):
	}
}

func TestErrorsAreJSON(t *testing.T) {
	g := newGuest(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/nothing", "", 404},
		{"GET", "/v1/exec", "", 400},
		{"POST", "/v1/shutdown", "", 400},
		{"POST", "/v1/shutdown", `{"action":"` + strings.Repeat("x", 2<<20) + `"}`, 400},
		{"POST", "/v1/grow", `{"at":"relative"}`, 400},
		{"POST", "/v1/grow", `{"at":"/no/such/place"}`, 404},
		{"POST", "/v1/grow", `{"at":"/proc"}`, 500},
		{"GET", "/v1/files?path=relative", "", 400},
		{"GET", "/v1/files?path=/no/such/file", "", 404},
		{"PUT", "/v1/files", "", 400},
	} {
		status, body := g.do(c.method, c.path, strings.NewReader(c.body))
		var e struct{ Error string }
		if err := json.Unmarshal(body, &e); status != c.status || err != nil || e.Error == "" {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
}

func TestClockTakesOnlyATime(t *testing.T) {
	g := newGuest(t)
	for _, body := range []string{"", "{}", `{"unixMs":-1}`, `{"unixMs":99999999999999999}`, `{"unixMs":"now"}`} {
		if status, content := g.do("POST", "/v1/clock", strings.NewReader(body)); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, status, content)
		}
	}
	// What the clock says already needs no privilege.
	if status, content := g.do("POST", "/v1/clock", strings.NewReader(fmt.Sprintf(`{"unixMs":%d}`, time.Now().UnixMilli()))); status != http.StatusNoContent {
		t.Errorf("%d %s", status, content)
	}
}

func TestAHostNameIsOneThatAGuestMayHave(t *testing.T) {
	g := newGuest(t)
	for body, want := range map[string]int{
		"": 400, "{}": 400, `{"hostname":"a b"}`: 400, `{"hostname":"-a"}`: 400, `{"hostname":"a\n127.0.0.1 bank"}`: 400, `{"hostname":7}`: 400,
		`{"hostname":"stuck"}`: 500, `{"hostname":"site"}`: 204,
	} {
		if status, content := g.do("POST", "/v1/hostname", strings.NewReader(body)); status != want {
			t.Errorf("%s: %d %s", body, status, content)
		}
	}
	close(g.names)
	taken := map[string]bool{}
	for name := range g.names {
		taken[name] = true
	}
	if len(taken) != 2 || !taken["site"] || !taken["stuck"] {
		t.Errorf("renamed to %v", taken)
	}
}

func TestAnSSHServerIsSeenInTheKernelsTable(t *testing.T) {
	proc := t.TempDir()
	head := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for name, c := range map[string]struct {
		table, line string
		want        bool
	}{
		"IPv4":       {"tcp", "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n", true},
		"IPv6":       {"tcp6", "   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n", true},
		"a session":  {"tcp", "   0: 050010AC:0016 010010AC:D6A4 01 00000000:00000000 00:00000000 00000000     0        0 1\n", false},
		"other port": {"tcp", "   0: 00000000:1600 00000000:0016 0A 00000000:00000000 00:00000000 00000000     0        0 1\n", false},
		"cut short":  {"tcp", "   0: 00000000\n", false},
	} {
		os.Remove(filepath.Join(proc, "tcp"))
		os.Remove(filepath.Join(proc, "tcp6"))
		if err := os.WriteFile(filepath.Join(proc, c.table), []byte(head+c.line), 0o644); err != nil {
			t.Fatal(err)
		}
		if listens(proc, 22) != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
	}
	root := t.TempDir()
	if hasSSHServer(root) {
		t.Error("an empty image has an sshd")
	}
	os.MkdirAll(filepath.Join(root, "usr/sbin"), 0o755)
	os.WriteFile(filepath.Join(root, "usr/sbin/dropbear"), nil, 0o755)
	if !hasSSHServer(root) {
		t.Error("dropbear is not seen")
	}
	if status, content := newGuest(t).do("GET", "/v1/sshd?waitMs=forever", nil); status != http.StatusBadRequest {
		t.Errorf("%d %s", status, content)
	}
}
