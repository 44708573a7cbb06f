package boot

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"banger.dev/native/internal/config"
)

func TestHosts(t *testing.T) {
	for name, c := range map[string]struct{ old, want string }{
		"none":       {"", "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\tvm\n"},
		"kept":       {"# mine\n127.0.0.1 localhost\n10.0.0.1 db", "# mine\n127.0.0.1 localhost\n10.0.0.1 db\n127.0.1.1\tvm\n"},
		"complete":   {"127.0.0.1 localhost vm\n", "127.0.0.1 localhost vm\n"},
		"in comment": {"127.0.0.1 localhost # vm\n", "127.0.0.1 localhost # vm\n127.0.1.1\tvm\n"},
	} {
		if got := string(hosts([]byte(c.old), "vm")); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestAnotherNameTakesTheOldOneAlong(t *testing.T) {
	for name, c := range map[string]struct{ old, want string }{
		"what was added":      {"127.0.0.1 localhost\n127.0.1.1\tvm\n", "127.0.0.1 localhost\n127.0.1.1\tsite\n"},
		"the image's own":     {"127.0.0.1 localhost vm\n10.0.0.1 vm\n", "127.0.0.1 localhost vm\n10.0.0.1 vm\n127.0.1.1\tsite\n"},
		"somebody adds to it": {"127.0.0.1 localhost\n127.0.1.1\tvm alias\n", "127.0.0.1 localhost\n127.0.1.1\tvm alias\n127.0.1.1\tsite\n"},
	} {
		if got := string(hosts(without([]byte(c.old), "vm"), "site")); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestResolvConf(t *testing.T) {
	n := &config.Network{Resolvers: []netip.Addr{netip.MustParseAddr("172.16.0.1")}, Search: []string{"vm", "lan"}}
	if got := string(resolvConf(n)); got != "search vm lan\nnameserver 172.16.0.1\noptions timeout:20 attempts:5\n" {
		t.Errorf("%q", got)
	}
}

func TestReplaceFile(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("gives files to root")
	}
	dir := t.TempDir()
	secret := filepath.Join(dir, "new", "secret")
	if err := replaceFile(secret, 0o600, []byte("a")); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(filepath.Dir(secret)); info.Mode().Perm() != 0o700 {
		t.Errorf("parent of a private file: %v", info.Mode())
	}
	before, _ := os.Stat(secret)
	if err := replaceFile(secret, 0o600, []byte("a")); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(secret); !os.SameFile(before, after) {
		t.Error("an equal file was written again")
	}
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	os.WriteFile(target, []byte("mine"), 0o644)
	os.Symlink(target, link)
	if err := replaceFile(link, 0o644, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Lstat(link); !info.Mode().IsRegular() || info.Mode() != 0o644 {
		t.Errorf("the link stayed: %v", info.Mode())
	}
	if text, _ := os.ReadFile(target); string(text) != "mine" {
		t.Errorf("followed the link: %q", text)
	}
	os.Mkdir(filepath.Join(dir, "d"), 0o755)
	if err := replaceFile(filepath.Join(dir, "d"), 0o644, nil); err == nil {
		t.Error("replaced a directory")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 4 {
		t.Errorf("left behind: %v", entries)
	}
}
