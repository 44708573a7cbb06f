package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

const (
	codeTimedOut  = 124
	codeCannotRun = 126
	codeNotFound  = 127
	codeSignalled = 128

	afterTerm   = 2 * time.Second
	afterHangUp = 5 * time.Second
	// lateOutput is how long a background process may keep the output open after its command has ended.
	lateOutput = 250 * time.Millisecond

	defaultLang = "C.UTF-8"
	defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

var errNotFound = errors.New("command not found")

// command is a started process that leads its own session and process group.
type command struct {
	cmd     *exec.Cmd
	tty     *os.File // the master side, nil without a terminal
	stdin   *os.File
	outputs []output

	timeout  *time.Timer
	timedOut atomic.Bool
	ended    atomic.Bool
	noteMu   sync.Mutex
	notes    error
}

// start prepares and starts; when that fails the report says why.
func start(r *startRequest, image map[string]string) (*command, exitReport) {
	cmd, err := prepare(r, image, "/")
	if err != nil {
		return nil, cannotRun(err)
	}
	c := &command{cmd: cmd}
	theirs, err := c.connect(r.TTY)
	if err == nil {
		err = oom.ordinary(cmd.Start)
	}
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		c.closeOurs()
		return nil, cannotRun(err)
	}
	if r.TimeoutMs > 0 {
		c.timeout = time.AfterFunc(time.Duration(r.TimeoutMs)*time.Millisecond, func() {
			c.timedOut.Store(true)
			c.end(unix.SIGTERM, afterTerm)
		})
	}
	return c, exitReport{}
}

func cannotRun(err error) exitReport {
	code := codeCannotRun
	if errors.Is(err, errNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = codeNotFound
	}
	return exitReport{Code: code, Error: err.Error()}
}

// prepare decides what runs, as whom, where and with which environment; root is where users and terminals are looked up.
func prepare(r *startRequest, image map[string]string, root string) (*exec.Cmd, error) {
	who, err := lookUp(filepath.Join(root, "etc"), r.User)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Join(root, who.shell)); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		who.shell = "/bin/sh" // what the database names was never in the image, or is there no more
	}
	cmd := &exec.Cmd{
		Dir:         r.Cwd,
		Env:         environment(r, image, who, root),
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Credential: who.credential()},
	}
	if cmd.Dir == "" {
		cmd.Dir = who.home
		if info, err := os.Stat(cmd.Dir); err != nil || !info.IsDir() {
			cmd.Dir = "/"
		}
	} else if info, err := os.Stat(cmd.Dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("cwd %q is not a directory in the guest", cmd.Dir)
	}
	if len(r.Argv) == 0 {
		// A dash makes it a login shell.
		cmd.Path, cmd.Args = who.shell, []string{"-" + filepath.Base(who.shell)}
		return cmd, nil
	}
	cmd.Args = r.Argv
	cmd.Path, err = find(r.Argv[0], cmd.Env)
	return cmd, err
}

// environment is the one place that decides it: what every process has, then what the image's maker set, then what was
// asked for. The last of two equal names counts.
func environment(r *startRequest, image map[string]string, who *account, root string) []string {
	env := []string{"PATH=" + defaultPath, "HOME=" + who.home, "SHELL=" + who.shell, "LANG=" + defaultLang}
	if who.name != "" {
		env = append(env, "USER="+who.name, "LOGNAME="+who.name)
	}
	chosen := make([]string, 0, len(image)+len(r.Env))
	for _, from := range []map[string]string{image, r.Env} {
		for k, v := range from {
			chosen = append(chosen, k+"="+v)
		}
	}
	if r.TTY != nil {
		env = append(env, "TERM="+knownTerm(root, r.TTY.Term, append(slices.Clone(env), chosen...)))
	}
	return append(env, chosen...)
}

// find looks a program up in the PATH the command will have, which is the last one of env.
func find(name string, env []string) (string, error) {
	if name == "" {
		return "", errors.New("the command's name is empty")
	}
	if strings.Contains(name, "/") {
		return name, nil
	}
	path := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			path = v
		}
	}
	var blocked error
	for _, dir := range filepath.SplitList(path) {
		candidate := filepath.Join(dir, name)
		info, err := os.Stat(candidate)
		if err != nil || info.IsDir() {
			continue
		}
		if info.Mode()&0o111 != 0 {
			return candidate, nil
		}
		blocked = fmt.Errorf("%s is not executable", candidate)
	}
	if blocked != nil {
		return "", blocked
	}
	return "", fmt.Errorf("%q: %w: not in PATH, which is %s", name, errNotFound, path)
}

// connect gives the command its standard files and returns those to close once it has them.
func (c *command) connect(tty *ttyRequest) (theirs []*os.File, err error) {
	if tty != nil {
		return c.connectTTY(tty)
	}
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
		}
		return r, w
	}
	stdin, toStdin := pipe()
	fromStdout, stdout := pipe()
	fromStderr, stderr := pipe()
	c.stdin = toStdin
	c.outputs = []output{{frameStdout, fromStdout}, {frameStderr, fromStderr}}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = stdin, stdout, stderr
	theirs = []*os.File{stdin, stdout, stderr}
	if err == nil {
		err = c.give(theirs)
	}
	return theirs, err
}

// give lets the command's user open its standard files by name, as in `echo > /dev/stderr`.
func (c *command) give(files []*os.File) error {
	who := c.cmd.SysProcAttr.Credential
	if who == nil || who.Uid == 0 {
		return nil
	}
	for _, f := range files {
		if err := f.Chown(int(who.Uid), -1); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) connectTTY(tty *ttyRequest) ([]*os.File, error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, err
	}
	theirs := []*os.File{slave, master}
	// The pty package leaves its file blocking; reads with a deadline need one that is not.
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return theirs, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return theirs, err
	}
	c.tty = os.NewFile(uintptr(fd), master.Name())
	c.stdin = c.tty
	c.outputs = []output{{frameStdout, c.tty}}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = slave, slave, slave
	c.cmd.SysProcAttr.Setctty = true // of its fd 0
	if err := c.give([]*os.File{slave}); err != nil {
		return theirs, err
	}
	return theirs, c.resize(tty.windowSize)
}

func (c *command) closeOurs() {
	c.stdin.Close()
	for _, o := range c.outputs {
		o.from.Close()
	}
}
