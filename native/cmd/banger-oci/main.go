// Command banger-oci turns container images into ext4 file systems.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/oci"
	"banger.dev/native/internal/report"
	"banger.dev/native/internal/room"
)

var version = "0.0.0-dev"

const usage = `usage: banger-oci pull --cache DIR --out FILE [--seed FILE] [--size BYTES] [--reserve BYTES] [--unless DIGEST] [--insecure] [--mirror REGISTRY=HOST]... [--logins] REFERENCE
       banger-oci import --out FILE [--seed FILE] [--size BYTES] [--reserve BYTES] SOURCE
       banger-oci credentials [--mirror REGISTRY=HOST]... REFERENCE
       banger-oci --version

pull fetches an image from its registry, as anybody, or with --logins with the credentials that the first line of stdin has;
credentials prints such a line: what docker login, podman login and credential helpers of this user's know. import reads an OCI
layout, what docker or podman save wrote, or the archive of a file system. Both write an ext4 to --out, and with --seed another of what the image has in /root, which
then is not in the first, if it has anything there. They tell what they do on stdout, one JSON object a line:
{"progress":{"phase","done","total"}}, and last {"result":{...}}, {"unchanged":DIGEST} or {"error":{"kind","message","fix"}}.
They end when their stdin does.`

// memory is what the Go runtime may take before it collects garbage more often: an image's index of files, and buffers.
const memory = 100 << 20

// silence is how long a registry may send nothing.
const silence = 30 * time.Second

type mirrors map[string][]string

func (m mirrors) String() string { return "" }

func (m mirrors) Set(text string) error {
	registry, host, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("expected REGISTRY=HOST")
	}
	m[registry] = append(m[registry], host)
	return nil
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println(version)
		return
	}
	if len(os.Args) < 2 || !slices.Contains([]string{"pull", "import", "credentials"}, os.Args[1]) {
		misused(nil)
	}
	debug.SetMemoryLimit(memory)
	flags := flag.NewFlagSet("banger-oci", flag.ContinueOnError)
	flags.Usage = func() {}
	out := flags.String("out", "", "")
	seed := flags.String("seed", "", "")
	size := flags.Int64("size", 8<<30, "")
	cache := flags.String("cache", "", "")
	unless := flags.String("unless", "", "")
	reserve := room.Default
	flags.Var(&reserve, "reserve", "")
	logins := flags.Bool("logins", false, "")
	insecure := flags.Bool("insecure", false, "")
	asked := mirrors{}
	flags.Var(asked, "mirror", "")
	if err := flags.Parse(os.Args[2:]); err != nil {
		misused(err)
	}
	if os.Args[1] == "credentials" && flags.NArg() == 1 {
		credentials(flags.Arg(0), asked)
		return
	}
	if flags.NArg() != 1 || *out == "" || (os.Args[1] == "pull" && *cache == "") {
		misused(nil)
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	given := session{}
	if *logins {
		if err := json.NewDecoder(io.LimitReader(os.Stdin, maxSession)).Decode(&given); err != nil {
			misused(fmt.Errorf("stdin does not begin with logins: %w", err))
		}
	}
	to := oci.Target{Rootfs: *out, Seed: *seed, Size: *size}
	go report.EndWithStdin(stop, func() { to.Remove() })
	said := report.ToStdout()
	limits := oci.DefaultLimits
	limits.Reserve = reserve
	var result *oci.Result
	var err error
	if os.Args[1] == "pull" {
		pull := &oci.Pull{
			Reference: flags.Arg(0), Mirrors: asked, Insecure: *insecure, Cache: *cache, Silence: silence,
			Logins: given.Logins, Limits: limits,
		}
		result, err = pull.Run(ctx, *unless, to, said.Progress)
	} else {
		result, err = oci.Import(ctx, flags.Arg(0), to, limits, said.Progress)
	}
	switch {
	case err != nil:
		said.Say("error", oci.AsFault(err))
		os.Exit(1)
	case result == nil:
		said.Say("unchanged", *unless)
	default:
		said.Say("result", result)
	}
}

// maxSession bounds the line of logins, in bytes.
const maxSession = 1 << 20

type session struct {
	Logins map[string]oci.Login `json:"logins"`
}

// credentials prints what this user knows of the registries of an image.
func credentials(reference string, mirrors mirrors) {
	said := report.ToStdout()
	known, err := oci.LookUp(context.Background(), reference, mirrors)
	if err != nil {
		said.Say("error", oci.AsFault(err))
		os.Exit(1)
	}
	said.Say("logins", known)
}

func misused(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "banger-oci:", err)
	}
	fmt.Fprintln(os.Stderr, usage)
	os.Exit(2)
}
