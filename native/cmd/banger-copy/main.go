// Command banger-copy takes what a guest sends to a path of the host.
package main

import (
	"archive/tar"
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"banger.dev/native/internal/room"
	"banger.dev/native/internal/untar"
)

const usage = `usage: banger-copy [--reserve BYTES] PATH <TAR

copies a guest's archive to the path as cp(1) would: into a directory that is there, else in the place of the path's last name.
Nothing lies outside of that, no link on the way is followed, and modes lose setuid, setgid and sticky. It prints {"files","bytes"}.`

// readAhead is how many bytes are taken of stdin at a time.
const readAhead = 256 << 10

func main() {
	reserve := room.Default
	flags := flag.NewFlagSet("banger-copy", flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	flags.Var(&reserve, "reserve", "")
	if err := flags.Parse(os.Args[1:]); err != nil || flags.NArg() != 1 {
		flags.Usage()
		os.Exit(2)
	}
	if err := take(flags.Arg(0), reserve); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func take(name string, reserve room.Reserve) error {
	target, err := untar.CopyTo(name, fs.ModePerm)
	if err != nil {
		return err
	}
	target.Reserve = reserve
	in := bufio.NewReaderSize(os.Stdin, readAhead)
	count, err := untar.Into(target, tar.NewReader(in))
	if err != nil {
		return err
	}
	// Whoever writes the padding behind the archive's end is to be able to.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(count)
}
