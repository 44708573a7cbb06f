// Package report tells the daemon what a program of ours does, one JSON object a line.
package report

import (
	"encoding/json"
	"os"
	"sync"
)

// Lines writes {"what":value} objects to stdout. Nobody reading any more is no error: EndWithStdin tells.
type Lines struct {
	mutex   sync.Mutex
	encoder *json.Encoder
}

func ToStdout() *Lines { return &Lines{encoder: json.NewEncoder(os.Stdout)} }

func (l *Lines) Say(what string, value any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	_ = l.encoder.Encode(map[string]any{what: value})
}

// Progress tells what was done of how much, in bytes.
func (l *Lines) Progress(phase string, done, total int64) {
	l.Say("progress", map[string]any{"phase": phase, "done": done, "total": total})
}

// EndWithStdin ends the work when whoever asked for it is gone, killed or not.
func EndWithStdin(stop func()) {
	buffer := make([]byte, 64)
	for {
		if _, err := os.Stdin.Read(buffer); err != nil {
			stop()
			return
		}
	}
}
