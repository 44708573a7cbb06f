package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// etc writes a profile, and gives its image's root.
func etc(t *testing.T, profile string) string {
	t.Helper()
	root := t.TempDir()
	os.Mkdir(filepath.Join(root, "etc"), 0o755)
	if err := os.WriteFile(filepath.Join(root, profileText), []byte(profile), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestTheProfileIsHookedOnce(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("gives files to root")
	}
	read := func(root, path string) string {
		text, _ := os.ReadFile(filepath.Join(root, path))
		return string(text)
	}
	debian := etc(t, "PATH=/bin\nfor i in /etc/profile.d/*.sh; do . $i; done\n")
	plain := etc(t, "export PATH=/bin")
	for range 2 {
		for _, root := range []string{debian, plain} {
			if err := hookProfile(root); err != nil {
				t.Fatal(err)
			}
		}
	}
	if read(debian, profileDropIn) != profileHook || strings.Contains(read(debian, profileText), "banger") {
		t.Errorf("drop-in %q, profile %q", read(debian, profileDropIn), read(debian, profileText))
	}
	if got := read(plain, profileText); got != "export PATH=/bin\n"+profileHook {
		t.Errorf("%q", got)
	}
	none := t.TempDir()
	if err := hookProfile(none); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(none); len(entries) != 0 {
		t.Errorf("an image without a profile got one: %v", entries)
	}
}

// The hook as each shell reads it at login, with the real program in its place.
func TestLoginShellsKeepWhatTheyBeganWith(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("gives files to root")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "banger-guest")
	build := exec.Command("go", "build", "-o", program, "banger.dev/native/cmd/banger-guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	hook := filepath.Join(dir, "hook.sh")
	text := "export PATH=/usr/bin:/bin PAGER=less\nset -eu\n" + strings.ReplaceAll(profileHook, Program, program)
	if err := os.WriteFile(hook, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, shell := range [][]string{{"dash"}, {"bash"}, {"bash", "--posix"}, {"busybox", "ash"}, {"zsh"}, {"zsh", "--emulate", "sh"}, {"mksh"}, {"ksh"}} {
		if _, err := exec.LookPath(shell[0]); err != nil {
			continue
		}
		cmd := exec.Command(shell[0], append(shell[1:], "-c", `. "$1"; echo "$PATH|$PAGER"`, "sh", hook)...)
		cmd.Env = []string{"PATH=/opt/tool/bin:/usr/bin:/bin", "PAGER=cat"}
		out, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "/opt/tool/bin:/usr/bin:/bin|cat" {
			t.Errorf("%v: %s %v", shell, out, err)
		}
	}
	// Outside a VM.
	os.Remove(program)
	if out, err := exec.Command("sh", "-c", `. "$1"; echo "$PATH"`, "sh", hook).CombinedOutput(); err != nil || string(out) != "/usr/bin:/bin\n" {
		t.Errorf("%s %v", out, err)
	}
}
