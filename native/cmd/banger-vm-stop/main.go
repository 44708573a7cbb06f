// Command banger-vm-stop asks a guest to shut down and waits until its VM has ended. It is the ExecStop of a VM's unit,
// so that a host which shuts down stops its guests in order although no daemon runs any more.
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// The agent's port in the guest, docs/guest-protocol.md.
	agentPort = 1024
	// An agent that lives answers at once; under load a second or two.
	answerTimeout = 5 * time.Second
	// Below the unit's TimeoutStopSec, so that systemd's own kill comes second.
	endTimeout = 30 * time.Second
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: banger-vm-stop VSOCK (systemd sets MAINPID)")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Getenv("MAINPID")); err != nil {
		fmt.Fprintln(os.Stderr, "banger-vm-stop:", err)
		os.Exit(1)
	}
}

func run(socket, mainPid string) error {
	// systemd runs ExecStop for a VM that has ended by itself, too.
	if mainPid == "" {
		return nil
	}
	pid, err := strconv.Atoi(mainPid)
	if err != nil {
		return fmt.Errorf("MAINPID is %q, not a process id", mainPid)
	}
	process, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(process)
	if err := askToStop(socket); err != nil {
		return err
	}
	return awaitEnd(process)
}

// The VM can write in the socket's directory, so nothing but a socket is opened there.
func askToStop(socket string) error {
	info, err := os.Lstat(socket)
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%s is not a socket", socket)
	}
	connection, err := net.DialTimeout("unix", socket, answerTimeout)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	fmt.Fprintf(connection, "CONNECT %d\n", agentPort)
	reader := bufio.NewReaderSize(connection, 4096)
	line, err := reader.ReadSlice('\n')
	if err != nil || !strings.HasPrefix(string(line), "OK ") {
		return fmt.Errorf("the guest's agent does not answer")
	}
	const body = `{"action":"stop"}`
	fmt.Fprintf(connection, "POST /v1/shutdown HTTP/1.1\r\nHost: guest\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return fmt.Errorf("the guest's agent broke off: %w", err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the guest's agent answered %s", response.Status)
	}
	return nil
}

// A pidfd becomes readable when its process ends.
func awaitEnd(process int) error {
	deadline := time.Now().Add(endTimeout)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("the guest did not end within %s", endTimeout)
		}
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(process), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if ready > 0 {
			return nil
		}
	}
}
