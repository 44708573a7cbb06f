// Package report tells the daemon what a program of ours does, one JSON object a line.
package report

import (
	"encoding/json"
	"os"
	"sync"
	"time"
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

// grace is what the work has to notice its end by itself; not all of it looks up from reading and writing.
const grace = time.Second

// EndWithStdin ends the work, and then the program, when whoever asked for it is gone, killed or not. clean removes what would be left.
func EndWithStdin(stop func(), clean func()) {
	buffer := make([]byte, 64)
	for {
		if _, err := os.Stdin.Read(buffer); err != nil {
			stop()
			time.Sleep(grace)
			clean()
			os.Exit(1)
		}
	}
}
