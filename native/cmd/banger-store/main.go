// Command banger-store makes the files of root's image store. The root helper opens and checks what they are made of, and names
// the place.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"

	"banger.dev/native/internal/room"
	"banger.dev/native/internal/store"
)

const usage = `usage: banger-store copy [--reserve BYTES] TARGET [BYTES] <SOURCE     a copy, at least so long
       banger-store merge [--reserve BYTES] TARGET <ORIGIN 3<COW     a dm-snapshot's origin with its COW file laid over it
       banger-store empty [--reserve BYTES] TARGET BYTES             an ext4 with nothing in it, sparse

None writes into the reserve of the VMs' file system, which is 2 GiB where nobody says.`

func run(args []string) (any, error) {
	if len(args) == 0 {
		misused()
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.Usage = func() {}
	reserve := room.Default
	flags.Var(&reserve, "reserve", "")
	if flags.Parse(args[1:]) != nil {
		misused()
	}
	target, bytes := flags.Arg(0), int64(0)
	if flags.NArg() == 2 {
		var err error
		if bytes, err = strconv.ParseInt(flags.Arg(1), 10, 64); err != nil {
			return nil, err
		}
	}
	switch command, given := args[0], flags.NArg(); {
	case command == "copy" && (given == 1 || given == 2):
		return store.Copy(os.Stdin, target, bytes, reserve)
	case command == "merge" && given == 1:
		return store.Merge(os.Stdin, os.NewFile(3, "COW"), target, reserve)
	case command == "empty" && given == 2:
		return struct{}{}, store.Empty(target, bytes, reserve)
	}
	misused()
	panic("unreachable")
}

func misused() {
	fmt.Fprintln(os.Stderr, usage)
	os.Exit(2)
}

func main() {
	result, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "banger-store:", err)
		os.Exit(1)
	}
}
