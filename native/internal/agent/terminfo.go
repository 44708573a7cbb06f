package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Where ncurses of the distributions looks, below the guest's root; before them come a user's own.
var terminfo = []string{"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo", "/usr/local/share/terminfo", "/run/current-system/sw/share/terminfo"}

// near lists what nearly every terminal of today understands, the best first.
var near = []string{"xterm-256color", "xterm", "linux", "vt100", "dumb"}

// knownTerm gives the name under which the guest's programs can drive the host's terminal: term itself where they know
// it, else the nearest that they do. Where there is no database at all, programs know the usual names at most.
func knownTerm(root, term string, env []string) string {
	var own []string
	for _, e := range env {
		key, value, _ := strings.Cut(e, "=")
		switch key {
		case "HOME":
			own = append(own, value+"/.terminfo")
		case "TERMINFO":
			own = append(own, value)
		case "TERMINFO_DIRS":
			own = append(own, filepath.SplitList(value)...)
		}
	}
	candidates := append([]string{term}, near...)
	if strings.HasPrefix(term, "screen") || strings.HasPrefix(term, "tmux") {
		candidates = append([]string{term, "screen-256color", "screen"}, near...)
	}
	for _, candidate := range candidates {
		for _, dir := range append(own, terminfo...) {
			if described(filepath.Join(root, dir), candidate) {
				return candidate
			}
		}
	}
	if slices.Contains(near, term) {
		return term
	}
	return near[0]
}

// described looks for an entry in both layouts of a directory: by the name's first letter, or its code.
func described(dir, term string) bool {
	if term == "" || strings.ContainsAny(term, "/\x00") || term[0] == '.' {
		return false
	}
	for _, letter := range []string{term[:1], fmt.Sprintf("%02x", term[0])} {
		if info, err := os.Stat(filepath.Join(dir, letter, term)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}
