package boot

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/host"
	"banger.dev/native/internal/initsys"
)

const (
	// AgentName is the agent's argv[0]: systemd spares processes of root's whose name begins with @ when it goes down.
	AgentName = "@banger-agent"
	// InitName is the argv[0] of the first process in the namespace of an init other than systemd.
	InitName = "banger-init"

	handoverFile = "/run/banger/boot.json"
	// What systemd gives its services as a hard limit; the kernel's own default is 4096.
	maxOpenFiles = 524288
)

var initEnvironment = []string{"HOME=/", "TERM=linux", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

// Handover is what the boot tells the agent.
type Handover struct {
	Init     initsys.Kind `json:"init"`
	Warnings []string     `json:"warnings"`
	// Environment is what the image's maker set for every process.
	Environment map[string]string `json:"environment"`
}

// ReadHandover is for the agent.
func ReadHandover() (h Handover, err error) {
	text, err := os.ReadFile(handoverFile)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(text, &h)
}

func (b *boot) handOver() error {
	init := initsys.Detect("/")
	text, err := json.Marshal(Handover{Init: init.Kind, Warnings: b.warnings, Environment: b.config.Environment})
	if err != nil {
		return err
	}
	if err := os.WriteFile(handoverFile, text, 0o600); err != nil {
		return err
	}
	// A soft limit of 1024 keeps programs safe that use select(2).
	limit := syscall.Rlimit{Cur: 1024, Max: maxOpenFiles}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		b.warn("limit of open files: %v", err)
	}
	if init.Kind != initsys.Systemd {
		return b.supervise(init)
	}
	if err := b.prepareSystemd(); err != nil {
		return err
	}
	if err := startAgent(init.Kind); err != nil {
		return err
	}
	return execInit(init.Path)
}

func startAgent(init initsys.Kind) error {
	agent := exec.Command(Program)
	agent.Args = []string{AgentName}
	agent.Env = initEnvironment
	agent.Dir = "/"
	agent.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// The kernel's log and not the console, which inits hang up.
	log, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	agent.Stderr = log
	if err := agent.Start(); err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	if init != initsys.SysV {
		return nil
	}
	// Debian's sendsigs would wait ten seconds for the agent to obey TERM; it passes over what is named here.
	return replaceFile("/run/sendsigs.omit.d/banger", 0o644, fmt.Appendln(nil, agent.Process.Pid))
}

func execInit(path string) error {
	return fmt.Errorf("execute %s: %w", path, unix.Exec(path, []string{path}, initEnvironment))
}

// supervise runs any init but systemd as the first process of a PID namespace. Whatever ends such a namespace (reboot,
// poweroff, halt, also with -f, or the init's death) is seen here and resets the machine, without a change to the image.
func (b *boot) supervise(init initsys.Init) error {
	// The init gets its own view of /proc.
	if err := unix.Unmount("/proc", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount /proc: %w", err)
	}
	// Ctrl-Alt-Del, which is how a host asks without the agent, then comes here as SIGINT instead of an instant reset.
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF); err != nil {
		return fmt.Errorf("take over ctrl-alt-del: %w", err)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, unix.SIGINT)

	child := exec.Command(Program)
	child.Args = []string{InitName}
	child.Env = initEnvironment
	child.Dir = "/"
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	if err := child.Start(); err != nil {
		return fmt.Errorf("start the namespace of %q: %w", init.Kind, err)
	}
	go func() {
		for range interrupted {
			_ = child.Process.Signal(unix.SIGINT)
		}
	}()
	_ = child.Wait()
	console("init %q has ended: %s", init.Kind, child.ProcessState)
	end(b.config.Mounts)
	return nil
}

// FirstOfNamespace mounts the namespace's /proc, starts the agent and becomes the image's init, or reaps where there is none.
func FirstOfNamespace() {
	fail(host.New(func(error) {}), "hand over to init", inNamespace())
}

func inNamespace() error {
	if err := mountPseudo([]pseudo{procMount}); err != nil {
		return err
	}
	init := initsys.Detect("/")
	if init.Kind == initsys.None {
		// Every other init sees to its control groups itself.
		if err := mountPseudo([]pseudo{cgroupMount}); err != nil {
			return err
		}
	}
	if err := startAgent(init.Kind); err != nil {
		return err
	}
	if init.Kind == initsys.None {
		reap()
	}
	return execInit(init.Path)
}
