package initsys

import (
	"os"
	"path/filepath"
	"testing"
)

// image builds a root from "path" (a program), "path -> target" (a symlink) and "path = other" (a hard link).
func image(t *testing.T, entries [][3]string) string {
	t.Helper()
	root := t.TempDir()
	for _, e := range entries {
		path := filepath.Join(root, e[0])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch e[1] {
		case "->":
			err = os.Symlink(e[2], path)
		case "=":
			err = os.Link(filepath.Join(root, e[2]), path)
		case "text":
			err = os.WriteFile(path, nil, 0o644)
		default:
			err = os.WriteFile(path, nil, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestDetect(t *testing.T) {
	for name, c := range map[string]struct {
		entries [][3]string
		want    Init
	}{
		"debian":           {[][3]string{{"usr/lib/systemd/systemd"}, {"lib", "->", "usr/lib"}, {"sbin", "->", "usr/sbin"}, {"usr/sbin/init", "->", "/lib/systemd/systemd"}}, Init{Systemd, "/sbin/init"}},
		"systemd, no init": {[][3]string{{"usr/lib/systemd/systemd"}}, Init{Systemd, "/usr/lib/systemd/systemd"}},
		"alpine":           {[][3]string{{"bin/busybox"}, {"sbin/init", "->", "/bin/busybox"}}, Init{Busybox, "/sbin/init"}},
		"busybox's image":  {[][3]string{{"bin/busybox"}, {"bin/init", "=", "bin/busybox"}}, Init{Busybox, "/bin/init"}},
		"void":             {[][3]string{{"usr/bin/runit-init"}, {"sbin", "->", "usr/bin"}, {"usr/bin/init", "->", "runit-init"}}, Init{Runit, "/sbin/init"}},
		"gentoo":           {[][3]string{{"sbin/openrc-init"}, {"sbin/init", "->", "openrc-init"}}, Init{OpenRC, "/sbin/init"}},
		"devuan":           {[][3]string{{"sbin/init"}, {"sbin/telinit", "->", "init"}}, Init{SysV, "/sbin/init"}},
		"s6":               {[][3]string{{"sbin/init"}}, Init{Other, "/sbin/init"}},
		"dangling":         {[][3]string{{"sbin/init", "->", "/lib/systemd/systemd"}, {"etc/init", "text"}}, Init{Kind: None}},
		"leads out":        {[][3]string{{"sbin/init", "->", "../../../../../../../../../../bin/sh"}}, Init{Kind: None}},
		"loop":             {[][3]string{{"sbin/init", "->", "init"}}, Init{Kind: None}},
		"directory":        {[][3]string{{"sbin/init/x"}}, Init{Kind: None}},
		"empty":            {nil, Init{Kind: None}},
	} {
		if got := Detect(image(t, c.entries)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestEveryKindCanBeAsked(t *testing.T) {
	for _, k := range []Kind{Systemd, Runit, OpenRC, SysV, Busybox, None, Other} {
		if k.Signalled() == (len(commands[k]) > 0) {
			t.Errorf("%s: want either a signal or commands", k)
		}
	}
}
