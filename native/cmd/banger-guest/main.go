// Command banger-guest is the init of a VM's initramfs, then the agent that its host talks to.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"banger.dev/native/internal/agent"
	"banger.dev/native/internal/boot"
	"banger.dev/native/internal/host"
	"banger.dev/native/internal/initsys"
)

var version = "0.0.0-dev"

const usage = `usage: banger-guest --version
       banger-guest profile PID         what gives a login shell back the variables that it began with
       banger-guest serve --unix FILE   serve the agent on a unix socket, for tests of a host`

func main() {
	log.SetFlags(0)
	log.SetPrefix("banger: ")
	switch args := os.Args; {
	case args[0] == boot.AgentName:
		log.Fatal(serveHost())
	case args[0] == boot.InitName && os.Getpid() == 1:
		boot.FirstOfNamespace()
	case args[0] == boot.ShutdownName && os.Getpid() == 1:
		boot.Shutdown()
	case args[0] == "/init" && os.Getpid() == 1:
		boot.Run()
	case len(args) == 2 && args[1] == "--version":
		fmt.Println(version)
	case len(args) == 3 && args[1] == "profile":
		profile(args[2])
	case len(args) == 4 && args[1] == "serve" && args[2] == "--unix":
		log.Fatal(serveUnix(args[3]))
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}

// profile is called by what boot.hookProfile writes, in every login shell: whatever it cannot do must not end one.
func profile(pid string) {
	began, err := os.ReadFile("/proc/" + filepath.Base(pid) + "/environ")
	if err != nil {
		return
	}
	fmt.Print(agent.Profile(strings.Split(strings.TrimSuffix(string(began), "\x00"), "\x00"), os.Environ()))
}

func serveHost() error {
	// Inits end everything with TERM first; the agent stays, to report how commands ended, until KILL.
	// Caught and not ignored: an ignored signal would stay ignored in the commands.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
	if err := agent.GuardAgainstOOM(); err != nil {
		log.Printf("oom score: %v", err)
	}
	handover, err := boot.ReadHandover()
	if err != nil {
		return err
	}
	listener, err := agent.Listen()
	if err != nil {
		return err
	}
	a := agent.New(version, handover.Init, handover.Warnings, handover.Environment, agent.Machine{GoDown: func() { agent.GoDown(handover.Init) }, Rename: boot.Rename})
	go reportReady(a)
	return a.Serve(listener)
}

func reportReady(a *agent.Agent) {
	health, err := a.Health()
	if err == nil {
		h := host.New(func(err error) { log.Printf("report ready: %v", err) })
		err = h.Ready(context.Background(), health)
	}
	if err != nil {
		log.Printf("report ready: %v", err)
	}
}

func serveUnix(path string) error {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	// No machine to take down, or to rename, here.
	machine := agent.Machine{GoDown: func() { os.Exit(0) }, Rename: func(string) error { return errors.New("this is no guest") }}
	return agent.New(version, initsys.Other, nil, nil, machine).Serve(listener)
}
