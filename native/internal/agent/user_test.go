package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// database writes a passwd and a group; an empty text leaves the file out.
func database(t *testing.T, passwd, group string) string {
	t.Helper()
	etc := t.TempDir()
	for name, text := range map[string]string{"passwd": passwd, "group": group} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return etc
}

func TestUsersAreTakenAsDockerTakesThem(t *testing.T) {
	etc := database(t,
		"# comment\nroot:x:0:0:root:/root:/bin/bash\nbroken:x:one:1::/:/bin/sh\n1001:x:7:7::/seven:/bin/sh\ndev:x:1001:1002:,,,:/home/dev:\ndev:x:1:1::/twice:/bin/sh\n+::::::\n-mallory:x:1500:0:::\n+@admins:x:0:0::/nis:\ncr:x:1100:1100::/home/cr:/bin/zsh\r\nshort:x:1200:1200\n",
		"root:x:0:\ndocker:x:998:a,dev\ndevs:x:1002:dev\nother:x:5:devil\n# x:x:77:dev\n+:::\ncr:x:1100:cr\r\nlast:x:60:short,cr\r\nbad:x:none:dev\n")
	for spec, want := range map[string]account{
		"":              {"root", "/root", "/bin/bash", 0, 0, []uint32{0}},
		"root":          {"root", "/root", "/bin/bash", 0, 0, []uint32{0}},
		"0":             {"root", "/root", "/bin/bash", 0, 0, []uint32{0}},
		"dev":           {"dev", "/home/dev", "/bin/sh", 1001, 1002, []uint32{1002, 998}},
		"1001":          {"dev", "/home/dev", "/bin/sh", 1001, 1002, []uint32{1002, 998}},
		"7":             {"1001", "/seven", "/bin/sh", 7, 7, []uint32{7}},
		"dev:docker":    {"dev", "/home/dev", "/bin/sh", 1001, 998, []uint32{998}},
		"dev:5":         {"dev", "/home/dev", "/bin/sh", 1001, 5, []uint32{5}},
		"dev:4000":      {"dev", "/home/dev", "/bin/sh", 1001, 4000, []uint32{4000}},
		"dev:":          {"dev", "/home/dev", "/bin/sh", 1001, 1002, []uint32{1002, 998}},
		":docker":       {"root", "/root", "/bin/bash", 0, 998, []uint32{998}},
		"1234":          {"", "/", "/bin/sh", 1234, 0, []uint32{0}},
		"1234:5678":     {"", "/", "/bin/sh", 1234, 5678, []uint32{5678}},
		"1234:docker":   {"", "/", "/bin/sh", 1234, 998, []uint32{998}},
		"2147483647":    {"", "/", "/bin/sh", 2147483647, 0, []uint32{0}},
		"cr":            {"cr", "/home/cr", "/bin/zsh", 1100, 1100, []uint32{1100, 60}},
		"short":         {"short", "/", "/bin/sh", 1200, 1200, []uint32{1200, 60}},
		"1500":          {"", "/", "/bin/sh", 1500, 0, []uint32{0}},
		"0000000000007": {"1001", "/seven", "/bin/sh", 7, 7, []uint32{7}},
	} {
		a, err := lookUp(etc, spec)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
			continue
		}
		if a.name != want.name || a.home != want.home || a.shell != want.shell || a.uid != want.uid || a.gid != want.gid || !slices.Equal(a.groups, want.groups) {
			t.Errorf("%q: %+v, want %+v", spec, *a, want)
		}
	}
	for spec, want := range map[string]string{
		"nobody":         `no user "nobody"`,
		"broken":         `no user "broken"`,
		"mallory":        `no user "mallory"`,
		"dev:nogroup":    `no group "nogroup"`,
		"dev:bad":        `no group "bad"`,
		"2147483648":     "ids go up to 2147483647",
		"4294967295":     "ids go up to 2147483647",
		"99999999999999": "ids go up to 2147483647",
		"dev:4294967295": "ids go up to 2147483647",
		"-1":             `no user "-1"`,
		"+":              `no user "+"`,
		"1e3":            `no user "1e3"`,
	} {
		if a, err := lookUp(etc, spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v %v, want %s", spec, a, err, want)
		}
	}
}

func TestRootIsThereWhateverTheDatabaseIs(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for name, c := range map[string]struct{ passwd, home, shell string }{
		"none":               {"", "/root", "/bin/sh"},
		"without root":       {"dev:x:1:1::/d:/bin/sh\n", "/root", "/bin/sh"},
		"short":              {"root:x:0:0\n", "/root", "/bin/sh"},
		"shorter":            {"root:x\n", "/root", "/bin/sh"},
		"another name":       {"admin:x:0:0::/adm:/bin/ash\n", "/adm", "/bin/ash"},
		"another name first": {"toor:x:0:0::/t:/bin/csh\nroot:x:0:0::/r:/bin/ksh\n", "/r", "/bin/ksh"},
		"two":                {"root:x:0:0::/one:/bin/a\nroot:x:0:0::/two:/bin/b\n", "/one", "/bin/a"},
		"no root of uid 1":   {"root:x:1:1::/one:/bin/a\n", "/root", "/bin/sh"},
		"CRLF":               {"root:x:0:0:root:/root:/bin/bash\r\n", "/root", "/bin/bash"},
		"no last newline":    {"root:x:0:0:root:/root:/bin/bash", "/root", "/bin/bash"},
		"NIS":                {"+::0:0:::\nroot:x:0:0::/root:/bin/bash\n", "/root", "/bin/bash"},
		"an endless line":    {"# " + long + "\n" + long + ":x:0:0::/:/bin/false\nroot:x:0:0::/root:/bin/bash\n", "/root", "/bin/bash"},
		"zeros":              {strings.Repeat("\x00", 100<<10) + "\nroot:x:0:0::/root:/bin/bash\n", "/root", "/bin/bash"},
		"many lines":         {strings.Repeat("u:x:5:5::/:/bin/sh\n", 1<<20) + "root:x:0:0::/late:/bin/late\n", "/root", "/bin/sh"},
	} {
		a, err := lookUp(database(t, c.passwd, "root:x:0\nroot\n:::::\n"+long), "root")
		if err != nil || a.uid != 0 || a.gid != 0 || a.home != c.home || a.shell != c.shell {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	for name, odd := range map[string]func(path string) error{
		"directory":    func(p string) error { return os.Mkdir(p, 0o755) },
		"link to it":   func(p string) error { return os.Symlink(filepath.Base(p), p) },
		"link nowhere": func(p string) error { return os.Symlink("/nowhere", p) },
		"FIFO":         func(p string) error { return unix.Mkfifo(p, 0o644) },
		"endless":      func(p string) error { return os.Symlink("/dev/zero", p) },
	} {
		etc := t.TempDir()
		for _, file := range []string{"passwd", "group"} {
			if err := odd(filepath.Join(etc, file)); err != nil {
				t.Fatal(err)
			}
		}
		found := make(chan *account, 1)
		go func() {
			a, _ := lookUp(etc, "")
			found <- a
		}()
		select {
		case a := <-found:
			if a == nil || a.uid != 0 || a.home != "/root" {
				t.Errorf("%s: %+v", name, a)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: no answer", name)
		}
		if a, err := lookUp(etc, "1234"); err != nil || a.uid != 1234 {
			t.Errorf("%s: a number needs no database: %+v %v", name, a, err)
		}
	}
}
