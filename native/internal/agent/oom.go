package agent

import (
	"log"
	"os"
	"strconv"
	"sync"
)

// oomGuard keeps the agent from the kernel's out-of-memory killer, and its commands within reach of it.
type oomGuard struct {
	mu  sync.Mutex
	own int // -1000 is "never"; 0 means unguarded
}

var oom oomGuard

// GuardAgainstOOM marks this process as the last to be killed for memory.
func GuardAgainstOOM() error {
	oom.mu.Lock()
	defer oom.mu.Unlock()
	oom.own = -999
	return setOOM(oom.own)
}

// ordinary runs start, which forks a command, with the ordinary score: a child inherits it at the fork, and setting it
// afterwards would miss what the child has started by then.
func (g *oomGuard) ordinary(start func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.own == 0 {
		return start()
	}
	if err := setOOM(0); err != nil {
		return err
	}
	err := start()
	if restoreErr := setOOM(g.own); restoreErr != nil {
		log.Printf("restore the oom score: %v", restoreErr) // the command runs all the same
	}
	return err
}

func setOOM(score int) error {
	return os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(score)), 0)
}
