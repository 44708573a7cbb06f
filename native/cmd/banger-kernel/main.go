// Command banger-kernel turns a distribution's kernel and the guest program into the files that banger boots.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"

	"banger.dev/native/internal/kernel"
	"banger.dev/native/internal/room"
)

var version = "0.0.0-dev"

const usage = `usage: banger-kernel import --vmlinuz FILE --modules DIR --out DIR
       banger-kernel import-deb --out DIR FILE...
       banger-kernel pack-guest --program FILE --out FILE
       banger-kernel unpack --prefix NAME --into DIR <TAR
       banger-kernel --version

import reads a kernel (bzImage or vmlinux) and its /lib/modules/RELEASE, and writes vmlinux, modules.cpio and
modules.ext4 into the existing, empty directory of --out; import-deb takes them from Debian packages. pack-guest writes the cpio that goes behind modules.cpio.
unpack takes the regular files of a guest's archive whose names begin so.
All print what they wrote as JSON, and take --reserve BYTES: how much of the disk they leave free, 2 GiB where nobody says.`

func main() {
	if len(os.Args) < 2 {
		misused(nil)
	}
	var result any
	var err error
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "import":
		f, _, reserve := parse(args, 0, "vmlinuz", "modules", "out")
		result, err = kernel.Import(f["vmlinuz"], f["modules"], f["out"], reserve)
	case "import-deb":
		f, debs, reserve := parse(args, math.MaxInt, "out")
		result, err = kernel.ImportDebs(debs, f["out"], reserve)
	case "pack-guest":
		f, _, reserve := parse(args, 0, "program", "out")
		result, err = kernel.PackGuest(f["program"], f["out"], reserve)
	case "unpack":
		f, _, reserve := parse(args, 0, "prefix", "into")
		result, err = kernel.Unpack(os.Stdin, f["prefix"], f["into"], reserve)
	case "--version":
		fmt.Println(version)
		return
	default:
		misused(fmt.Errorf("no command %q", command))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "banger-kernel:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fmt.Fprintln(os.Stderr, "banger-kernel:", err)
		os.Exit(1)
	}
}

// parse reads flags that must all be given, and at most so many arguments after them.
func parse(args []string, most int, names ...string) (map[string]string, []string, room.Reserve) {
	flags := flag.NewFlagSet("banger-kernel", flag.ContinueOnError)
	flags.Usage = func() {}
	// Results are JSON anyway; the flag is taken so that scripts may say so.
	flags.Bool("json", true, "")
	reserve := room.Default
	flags.Var(&reserve, "reserve", "")
	values := map[string]*string{}
	for _, name := range names {
		values[name] = flags.String(name, "", "")
	}
	err := flags.Parse(args)
	if err == nil && flags.NArg() > most {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(most))
	}
	given := map[string]string{}
	for _, name := range names {
		if *values[name] == "" && err == nil {
			err = fmt.Errorf("--%s is missing", name)
		}
		given[name] = *values[name]
	}
	if err != nil {
		misused(err)
	}
	return given, flags.Args(), reserve
}

func misused(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "banger-kernel:", err)
	}
	fmt.Fprintln(os.Stderr, usage)
	os.Exit(2)
}
