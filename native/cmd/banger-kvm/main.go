// Command banger-kvm tries whether KVM runs a guest. Prints one JSON object: {"state": "works" | "denied" | "broken", "problem": TEXT}.
package main

import (
	"encoding/json"
	"errors"
	"os"

	"banger.dev/native/internal/kvm"
)

func main() {
	answer := map[string]string{"state": "works", "problem": ""}
	if err := kvm.Try("/dev/kvm"); errors.Is(err, kvm.ErrDenied) {
		answer["state"] = "denied"
	} else if err != nil {
		answer = map[string]string{"state": "broken", "problem": err.Error()}
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		os.Exit(1)
	}
}
