package agent

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func (c *command) pid() int { return c.cmd.Process.Pid }

// signal sends what the host names, such as INT, to the command's process group.
func (c *command) signal(name string) error {
	number := unix.SignalNum("SIG" + name)
	if number == 0 {
		return fmt.Errorf("no signal is named %q", name)
	}
	if !c.ended.Load() {
		c.kill(number)
	}
	return nil
}

// kill reaches the members of the group that outlive its leader too: the group's number is not used again while it has any.
func (c *command) kill(s unix.Signal) { _ = unix.Kill(-c.pid(), s) }

// end sends s to the group, and KILL when grace has passed.
func (c *command) end(s unix.Signal, grace time.Duration) {
	c.kill(s)
	time.AfterFunc(grace, func() { c.kill(unix.SIGKILL) })
}

// hangUp is what a command gets whose host has gone.
func (c *command) hangUp() {
	c.end(unix.SIGHUP, afterHangUp)
	if c.tty != nil {
		// The kernel then also hangs up the terminal's foreground group.
		c.tty.Close()
	}
}

func (c *command) resize(size windowSize) error {
	if c.tty == nil {
		return errors.New("the command has no terminal to resize")
	}
	raw, err := c.tty.SyscallConn()
	if err != nil {
		return err
	}
	var setErr error
	err = raw.Control(func(fd uintptr) {
		setErr = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Rows, Col: size.Cols})
	})
	return errors.Join(err, setErr)
}

// note keeps what could not be done for the host, for the report.
func (c *command) note(err error) {
	c.noteMu.Lock()
	defer c.noteMu.Unlock()
	c.notes = errors.Join(c.notes, err)
}

// finish passes the output on, waits for the command and reports how it ended.
func (c *command) finish(out *frameWriter) exitReport {
	var pumps sync.WaitGroup
	for _, o := range c.outputs {
		pumps.Go(func() { o.pump(out) })
	}
	waitErr := c.cmd.Wait()
	c.ended.Store(true)
	if c.timeout != nil {
		c.timeout.Stop()
	}
	for _, o := range c.outputs {
		_ = o.from.SetReadDeadline(time.Now().Add(lateOutput))
	}
	pumps.Wait()
	for _, o := range c.outputs {
		o.from.Close()
	}
	return c.report(waitErr)
}

func (c *command) report(waitErr error) exitReport {
	r := exitReport{TimedOut: c.timedOut.Load()}
	if c.cmd.ProcessState == nil {
		r.Code, r.Error = codeCannotRun, waitErr.Error()
		return r
	}
	status := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	r.Code = status.ExitStatus()
	if status.Signaled() {
		r.Signal = int(status.Signal())
		r.Code = codeSignalled + r.Signal
	}
	if r.TimedOut {
		r.Code = codeTimedOut
	}
	c.noteMu.Lock()
	defer c.noteMu.Unlock()
	if c.notes != nil {
		r.Error = c.notes.Error()
	}
	return r
}

// output is one stream of the command and the frames it travels in.
type output struct {
	frame frameType
	from  *os.File
}

const (
	outputChunk = 64 << 10
	// A pipe can be made 1 MiB large without privilege; more than that was not there when the command ended.
	maxLeftover = 1 << 20
)

// pump passes output on until its end, or until the deadline that is set once the command has ended.
func (o output) pump(out *frameWriter) {
	buf := make([]byte, frameHeader+outputChunk)
	for {
		n, err := o.from.Read(buf[frameHeader:])
		if n > 0 {
			out.writeFramed(o.frame, buf[:frameHeader+n])
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			o.leftover(out, buf)
			return
		}
		if err != nil { // end of file, or EIO from a terminal without a slave
			return
		}
	}
}

// leftover passes on what the command wrote before it ended, however slowly the host took what came before.
func (o output) leftover(out *frameWriter, buf []byte) {
	raw, err := o.from.SyscallConn()
	if err != nil || o.from.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for total := 0; total < maxLeftover; {
		var n int
		err := raw.Read(func(fd uintptr) bool {
			n, _ = unix.Read(int(fd), buf[frameHeader:])
			return true // never wait
		})
		if err != nil || n <= 0 {
			return
		}
		out.writeFramed(o.frame, buf[:frameHeader+n])
		total += n
	}
}
