// Command banger-store makes the files of root's image store. The root helper opens and checks what they are made of, and names
// the place.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"banger.dev/native/internal/store"
)

const usage = `usage: banger-store copy TARGET [BYTES] <SOURCE     a copy, at least so long
       banger-store merge TARGET <ORIGIN 3<COW     a dm-snapshot's origin with its COW file laid over it`

func run(args []string) (store.Copied, error) {
	switch {
	case len(args) == 2 && args[0] == "copy":
		return store.Copy(os.Stdin, args[1], 0)
	case len(args) == 3 && args[0] == "copy":
		bytes, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return store.Copied{}, err
		}
		return store.Copy(os.Stdin, args[1], bytes)
	case len(args) == 2 && args[0] == "merge":
		return store.Merge(os.Stdin, os.NewFile(3, "COW"), args[1])
	}
	fmt.Fprintln(os.Stderr, usage)
	os.Exit(2)
	panic("unreachable")
}

func main() {
	copied, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(copied)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "banger-store:", err)
		os.Exit(1)
	}
}
