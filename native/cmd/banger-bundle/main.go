// Command banger-bundle packs files of images and kernels into single ones, and unpacks those.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/bundle"
	"banger.dev/native/internal/oci"
	"banger.dev/native/internal/regular"
	"banger.dev/native/internal/report"
	"banger.dev/native/internal/room"
)

const usage = `usage: banger-bundle pack [--reserve BYTES] --out FILE --about JSON NAME=PATH...
       banger-bundle unpack [--reserve BYTES] --into DIR [--sha256 HEX --bytes N --cache DIR] FILE|URL
       banger-bundle fetch [--reserve BYTES] --out FILE --sha256 HEX --bytes N --cache DIR URL

unpack writes each file under its number into the directory; fetch takes any file as it is. A URL needs its sha256 and its
size; what was fetched of it is kept in the cache, and the next attempt goes on from there. The reserve is what they leave free
of the disk, 2 GiB where nobody says.
They tell on stdout, one JSON object a line: what they do, {"progress":{"phase","done","total"}}, and all last {"packed":{...}},
{"unpacked":{...}}, {"fetched":{}} or {"error":{"kind","message","fix"}}. They end when their stdin does.`

// silence is how long a server may send nothing.
const silence = 30 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer stop()
	said := report.ToStdout()
	if len(os.Args) < 2 {
		misused()
	}
	command, args := os.Args[1], os.Args[2:]
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.Usage = func() {}
	reserve := room.Default
	flags.Var(&reserve, "reserve", "")
	var run func() (string, any, error)
	clean := func() {}
	switch command {
	case "pack":
		out, about := flags.String("out", "", ""), flags.String("about", "", "")
		clean = func() { os.Remove(*out + ".partial") }
		run = func() (string, any, error) {
			packed, err := pack(*out, json.RawMessage(*about), flags.Args(), reserve, said)
			return "packed", packed, err
		}
	case "unpack":
		into := flags.String("into", "", "")
		o := originOf(flags)
		run = func() (string, any, error) {
			unpacked, err := unpack(ctx, o, flags.Arg(0), *into, reserve, said)
			return "unpacked", unpacked, err
		}
	case "fetch":
		out := flags.String("out", "", "")
		o := originOf(flags)
		clean = func() { os.Remove(*out) }
		run = func() (string, any, error) {
			return "fetched", struct{}{}, fetch(ctx, o, flags.Arg(0), *out, reserve, said)
		}
	default:
		misused()
	}
	if err := flags.Parse(args); err != nil || flags.NArg() < 1 {
		misused()
	}
	go report.EndWithStdin(stop, clean)
	what, value, err := run()
	if err != nil {
		said.Say("error", oci.AsFault(err))
		os.Exit(1)
	}
	said.Say(what, value)
}

func misused() {
	fmt.Fprintln(os.Stderr, usage)
	os.Exit(2)
}

// pack leaves nothing under the bundle's name before it is whole.
func pack(out string, about json.RawMessage, arguments []string, reserve room.Reserve, said *report.Lines) (packed *bundle.Packed, err error) {
	var names []string
	var files []*os.File
	for _, argument := range arguments {
		name, path, ok := strings.Cut(argument, "=")
		if !ok {
			misused()
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		names, files = append(names, name), append(files, f)
	}
	target, err := os.OpenFile(out+".partial", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, target.Close(), os.Remove(target.Name()))
		}
	}()
	packed, err = bundle.Pack(reserve.Keep(target), about, names, files, throttled(said, "write"))
	if err != nil {
		return nil, err
	}
	if err := target.Sync(); err != nil {
		return nil, err
	}
	return packed, errors.Join(target.Close(), os.Rename(target.Name(), out))
}

// origin is what is known of a file before it is here; of one of this machine that may be nothing.
type origin struct {
	digest, cache string
	bytes         int64
}

func originOf(flags *flag.FlagSet) *origin {
	o := &origin{}
	flags.StringVar(&o.digest, "sha256", "", "")
	flags.StringVar(&o.cache, "cache", "", "")
	flags.Int64Var(&o.bytes, "bytes", 0, "")
	return o
}

func (o *origin) open(ctx context.Context, source string, reserve room.Reserve) (io.ReadCloser, error) {
	if o.digest == "" {
		f, _, err := regular.Open(source)
		return f, err
	}
	limits := oci.DefaultLimits
	limits.Reserve = reserve
	p := &oci.Pull{Cache: o.cache, Silence: silence, Limits: limits}
	return p.Fetch(ctx, source, "sha256:"+o.digest, o.bytes)
}

// fetch leaves nothing under the file's name when its digest is another.
func fetch(ctx context.Context, o *origin, source, out string, reserve room.Reserve, said *report.Lines) (err error) {
	if o.digest == "" {
		misused()
	}
	ctx, cancel := context.WithCancel(ctx)
	in, err := o.open(ctx, source, reserve)
	if err != nil {
		cancel()
		return err
	}
	defer in.Close()
	// Before that, which would wait for all of it.
	defer cancel()
	target, err := os.OpenFile(out, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, target.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(out))
		}
	}()
	_, err = io.Copy(io.MultiWriter(reserve.Keep(target), &counter{total: o.bytes, tell: throttled(said, "fetch")}), in)
	return err
}

// counter tells how much was written.
type counter struct {
	done, total int64
	tell        func(done, total int64)
}

func (c *counter) Write(piece []byte) (int, error) {
	c.done += int64(len(piece))
	c.tell(c.done, c.total)
	return len(piece), nil
}

// Unpacked says what a bundle held.
type Unpacked struct {
	About json.RawMessage `json:"about"`
	// Files are their names, in the order of their numbers.
	Files []string `json:"files"`
}

func unpack(ctx context.Context, o *origin, source, into string, reserve room.Reserve, said *report.Lines) (*Unpacked, error) {
	in, err := o.open(ctx, source, reserve)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	m, err := bundle.Unpack(in, into, reserve, throttled(said, "fetch"))
	if err != nil {
		return nil, explain(in, source, err)
	}
	// To the end: only there is the digest known to be right.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return nil, err
	}
	unpacked := &Unpacked{About: m.About}
	for _, f := range m.Files {
		unpacked.Files = append(unpacked.Files, f.Name)
	}
	return unpacked, nil
}

// explain prefers a wrong digest over what is damaged for it.
func explain(in io.Reader, source string, err error) error {
	if _, rest := io.Copy(io.Discard, in); rest != nil {
		return rest
	}
	var path *os.PathError
	var full *room.Full
	if errors.As(err, &path) || errors.As(err, &full) {
		return err
	}
	return &oci.Fault{Kind: oci.BadSource, Message: fmt.Sprintf("%s: %v", source, err), Fix: "banger image export and banger bundle export write such files"}
}

// throttled tells a few times a second.
func throttled(said *report.Lines, phase string) func(done, total int64) {
	var told time.Time
	return func(done, total int64) {
		if now := time.Now(); now.Sub(told) > 200*time.Millisecond || done == total {
			told = now
			said.Progress(phase, done, total)
		}
	}
}
