package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAProfileDoesNotTakeWhatWasChosen(t *testing.T) {
	debian := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	for name, c := range map[string]struct{ began, now, path string }{
		"reset":                     {"/opt/tool/bin:" + debian, debian, "/opt/tool/bin:" + debian},
		"reset, few places":         {"/opt/tool/bin:/usr/bin:/bin", debian, "/opt/tool/bin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"},
		"reset, for a user":         {"/go/bin:" + debian, "/usr/local/bin:/usr/bin:/bin:/usr/games", "/go/bin:" + debian + ":/usr/games"},
		"kept":                      {"/opt/tool/bin:" + debian, "/opt/tool/bin:" + debian, "/opt/tool/bin:" + debian},
		"something put first":       {"/go/bin:" + debian, "/shims:" + debian, "/shims:/go/bin:" + debian},
		"something put first, last": {"/go/bin:" + debian, "/shims:/go/bin:" + debian + ":/snap/bin", "/shims:/go/bin:" + debian + ":/snap/bin"},
		"nothing was chosen":        {debian, "/shims:" + debian + ":/snap/bin", "/shims:" + debian + ":/snap/bin"},
		"taken away":                {"/go/bin", "", "/go/bin"},
	} {
		script := Profile([]string{"PATH=" + c.began}, []string{"PATH=" + c.now})
		out, err := exec.Command("/bin/sh", "-c", "PATH=$1; eval \"$2\"; echo $PATH", "sh", c.now, script).Output()
		if err != nil || strings.TrimSpace(string(out)) != c.path {
			t.Errorf("%s: %s %v, want %s", name, out, err, c.path)
		}
	}
	odd := "it's $HOME `id`\nnew \\ \"line\""
	began := []string{"PAGER=cat", "ODD=" + odd, "KEPT=1", "LANG=C.UTF-8", "SHLVL=0", "PWD=/", "bad name=x", "GONE=back", "EMPTY="}
	now := []string{"PAGER=less", "ODD=other", "KEPT=1", "LANG=de_DE.UTF-8", "SHLVL=1", "PWD=/root", "MORE=1"}
	script := Profile(began, now)
	out, err := exec.Command("/bin/sh", "-c", `eval "$1"; printf '%s|%s|%s|%s' "$PAGER" "$ODD" "$GONE" "${EMPTY-unset}"`, "sh", script).Output()
	if err != nil || string(out) != "cat|"+odd+"|back|" {
		t.Errorf("%q %v\n%s", out, err, script)
	}
	for _, left := range []string{"LANG", "SHLVL", "PWD", "KEPT", "bad name", "MORE"} {
		if strings.Contains(script, left) {
			t.Errorf("%s is touched: %s", left, script)
		}
	}
	if script := Profile([]string{"LANG=C"}, []string{"LANG=de_DE.UTF-8"}); script != "export LANG='C'\n" {
		t.Errorf("a language that was chosen: %q", script)
	}
}

func TestEnvironmentIsTheImagesThenTheCallers(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{"etc/passwd": "root:x:0:0::/root:/bin/bash\ndev:x:7:7::/home/dev:/bin/gone\n", "bin/bash": ""} {
		os.MkdirAll(filepath.Dir(filepath.Join(root, path)), 0o755)
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	image := map[string]string{"PATH": "/opt/tool/bin:/bin", "TOOL": "image", "HOME": "/elsewhere"}
	cmd, err := prepare(&startRequest{Env: map[string]string{"TOOL": "caller"}, TTY: &ttyRequest{Term: "xterm-ghostty"}}, image, root)
	if err != nil {
		t.Fatal(err)
	}
	has := variables(cmd.Env)
	for name, want := range map[string]string{"PATH": "/opt/tool/bin:/bin", "TOOL": "caller", "HOME": "/elsewhere", "TERM": "xterm-256color", "USER": "root", "SHELL": "/bin/bash"} {
		if has[name] != want {
			t.Errorf("%s=%s, want %s", name, has[name], want)
		}
	}
	if cmd.Path != "/bin/bash" || cmd.Args[0] != "-bash" {
		t.Errorf("shell %s %v", cmd.Path, cmd.Args)
	}
	if cmd, err = prepare(&startRequest{User: "dev"}, nil, root); err != nil || cmd.Path != "/bin/sh" || variables(cmd.Env)["SHELL"] != "/bin/sh" {
		t.Errorf("a shell that is gone: %v %v", cmd, err)
	}
	if cmd, err = prepare(&startRequest{User: "1234"}, nil, root); err != nil || variables(cmd.Env)["HOME"] != "/" || strings.Contains(strings.Join(cmd.Env, "\n"), "USER=") {
		t.Errorf("a number without a line: %v %v", cmd.Env, err)
	}
	cmd, err = prepare(&startRequest{Env: map[string]string{"TERM": "foot"}, TTY: &ttyRequest{Term: "xterm"}}, nil, root)
	if err != nil || variables(cmd.Env)["TERM"] != "foot" {
		t.Errorf("a TERM that was asked for: %v %v", cmd.Env, err)
	}
}
