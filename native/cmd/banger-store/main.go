// Command banger-store copies the file on its stdin into root's image store. The root helper opens and checks that file, and
// names the place.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"banger.dev/native/internal/store"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: banger-store TARGET <SOURCE")
		os.Exit(2)
	}
	copied, err := store.Copy(os.Stdin, os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(copied)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "banger-store:", err)
		os.Exit(1)
	}
}
