package agent

import (
	"os"
	"path/filepath"
	"testing"
)

func TestATerminalBecomesOneThatTheGuestKnows(t *testing.T) {
	for name, c := range map[string]struct {
		entries    []string
		env        []string
		term, want string
	}{
		"known":               {[]string{"usr/share/terminfo/x/xterm-ghostty", "lib/terminfo/x/xterm-256color"}, nil, "xterm-ghostty", "xterm-ghostty"},
		"unknown":             {[]string{"lib/terminfo/x/xterm-256color", "lib/terminfo/x/xterm"}, nil, "xterm-ghostty", "xterm-256color"},
		"few are known":       {[]string{"etc/terminfo/v/vt100", "etc/terminfo/d/dumb"}, nil, "xterm-kitty", "vt100"},
		"only xterm":          {[]string{"etc/terminfo/x/xterm", "etc/terminfo/l/linux"}, nil, "alacritty", "xterm"},
		"by code":             {[]string{"usr/share/terminfo/78/xterm-kitty", "usr/share/terminfo/78/xterm-256color"}, nil, "xterm-kitty", "xterm-kitty"},
		"nearest by code":     {[]string{"usr/share/terminfo/78/xterm-256color"}, nil, "foot", "xterm-256color"},
		"tmux":                {[]string{"lib/terminfo/s/screen", "lib/terminfo/x/xterm-256color"}, nil, "tmux-256color", "screen"},
		"the user's own":      {[]string{"home/dev/.terminfo/f/foot", "lib/terminfo/x/xterm"}, []string{"HOME=/home/dev"}, "foot", "foot"},
		"named":               {[]string{"opt/ti/f/foot", "lib/terminfo/x/xterm"}, []string{"TERMINFO=/opt/ti"}, "foot", "foot"},
		"named among several": {[]string{"opt/ti/f/foot", "lib/terminfo/x/xterm"}, []string{"TERMINFO_DIRS=/a:/opt/ti"}, "foot", "foot"},
		"no database":         {nil, nil, "xterm-ghostty", "xterm-256color"},
		"dumb, no database":   {nil, nil, "dumb", "dumb"},
		"linux, no database":  {nil, nil, "linux", "linux"},
		"a path":              {[]string{"lib/terminfo/x/xterm", "etc/passwd"}, nil, "../../../etc/passwd", "xterm"},
		"a dot":               {[]string{"lib/terminfo/x/xterm"}, nil, "..", "xterm"},
		"a directory":         {[]string{"lib/terminfo/x/xterm", "lib/terminfo/o/odd/file"}, nil, "odd", "xterm"},
		"none":                {[]string{"lib/terminfo/x/xterm"}, nil, "", "xterm"},
	} {
		root := t.TempDir()
		for _, e := range c.entries {
			path := filepath.Join(root, e)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := knownTerm(root, c.term, c.env); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
