// Package agent serves the guest's side of docs/guest-protocol.md: HTTP over vsock, for the host alone.
package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mdlayher/vsock"
	"golang.org/x/sys/unix"

	"banger.dev/native/internal/config"
	"banger.dev/native/internal/initsys"
)

// Port is the vsock port on which the agent listens.
const Port = 1024

const (
	maxExecs      = 256
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
)

// Agent is what one guest offers its host.
type Agent struct {
	version  string
	init     initsys.Kind
	warnings []string
	// environment is what the image's maker set, for every command.
	environment map[string]string
	execs       chan struct{}
	machine     Machine
}

// Machine is what the agent does to the guest as a whole.
type Machine struct {
	// GoDown ends it, in order.
	GoDown func()
	// Rename gives it another host name.
	Rename func(hostname string) error
}

// New describes the guest: the program's version, the init that runs, what went wrong while booting, and the variables of
// the image.
func New(version string, init initsys.Kind, warnings []string, environment map[string]string, machine Machine) *Agent {
	if warnings == nil {
		warnings = []string{}
	}
	machine.GoDown = sync.OnceFunc(machine.GoDown)
	return &Agent{version: version, init: init, warnings: warnings, environment: environment, execs: make(chan struct{}, maxExecs), machine: machine}
}

// Serve answers on l until it is closed.
func (a *Agent) Serve(l net.Listener) error {
	server := &http.Server{
		Handler:           a.Handler(),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	return server.Serve(l)
}

// Handler routes the requests of the protocol.
func (a *Agent) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health", a.health)
	mux.HandleFunc("GET /v1/exec", a.exec)
	mux.HandleFunc("PUT /v1/files", a.putFiles)
	mux.HandleFunc("GET /v1/files", a.getFiles)
	mux.HandleFunc("PUT /v1/copy", a.putCopy)
	mux.HandleFunc("POST /v1/shutdown", a.shutdown)
	mux.HandleFunc("POST /v1/grow", a.grow)
	mux.HandleFunc("POST /v1/clock", a.clock)
	mux.HandleFunc("POST /v1/hostname", a.hostname)
	mux.HandleFunc("GET /v1/sshd", a.sshd)
	mux.HandleFunc("GET /v1/ports", a.ports)
	mux.HandleFunc("GET /v1/memory", a.memory)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, fmt.Errorf("no such request: %s %s", r.Method, r.URL.Path))
	})
	return mux
}

// Listen opens the agent's vsock port to the host.
func Listen() (net.Listener, error) {
	// Any: the context id of a VM restored from a snapshot may be another.
	l, err := vsock.ListenContextID(unix.VMADDR_CID_ANY, Port, nil)
	if err != nil {
		return nil, fmt.Errorf("listen on vsock port %d: %w", Port, err)
	}
	return hostOnly{l}, nil
}

// hostOnly drops connections from inside the guest (vsock loopback): they would make any of its users root.
type hostOnly struct{ net.Listener }

func (l hostOnly) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if from, ok := conn.RemoteAddr().(*vsock.Addr); ok && from.ContextID == vsock.Host {
			return conn, nil
		}
		conn.Close()
	}
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the host has gone: nothing to tell it
}

func fail(w http.ResponseWriter, status int, err error) {
	reply(w, status, map[string]string{"error": err.Error()})
}

// decode reads a bounded JSON body.
func decode(w http.ResponseWriter, r *http.Request, v any) error {
	body := http.MaxBytesReader(w, r.Body, config.MaxBody)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerTimeout))
	if err := json.NewDecoder(body).Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the body is empty")
		}
		return fmt.Errorf("decode the body: %w", err)
	}
	return nil
}
