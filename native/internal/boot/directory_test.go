package boot

import (
	"os"
	"path/filepath"
	"testing"
)

func TestADirectoryIsMadeWhateverStandsThere(t *testing.T) {
	for name, c := range map[string]struct {
		// path, then "-> target", "file" or "directory"
		entries    [][2]string
		path, want string
	}{
		"missing":                  {nil, "/root", "root"},
		"there":                    {[][2]string{{"root", "directory"}}, "/root", "root"},
		"parents missing":          {nil, "/lib/modules/6.1.0", "lib/modules/6.1.0"},
		"bootc":                    {[][2]string{{"root", "-> var/roothome"}}, "/root", "var/roothome"},
		"absolute link":            {[][2]string{{"root", "-> /var/roothome"}}, "/root", "var/roothome"},
		"link to a directory":      {[][2]string{{"usr/lib", "directory"}, {"lib", "-> usr/lib"}}, "/lib/modules/6", "usr/lib/modules/6"},
		"link within a link":       {[][2]string{{"root", "-> home/admin"}, {"home", "-> /var/home"}}, "/root", "var/home/admin"},
		"climbs above the root":    {[][2]string{{"run", "-> ../../../../var/run"}}, "/run", "var/run"},
		"leads outside":            {[][2]string{{"root", "-> /tmp/../../../etc/outside"}}, "/root", "etc/outside"},
		"a parent leads nowhere":   {[][2]string{{"lib", "-> gone/lib"}}, "/lib/modules/6", "gone/lib/modules/6"},
		"a file":                   {[][2]string{{"root", "file"}}, "/root", "root"},
		"a file on the way":        {[][2]string{{"lib", "file"}}, "/lib/modules/6", "lib/modules/6"},
		"a link to a file":         {[][2]string{{"data", "file"}, {"root", "-> data"}}, "/root", "data"},
		"loop":                     {[][2]string{{"root", "-> root"}}, "/root", "root"},
		"loop of two":              {[][2]string{{"run", "-> var/run"}, {"var/run", "-> ../run"}}, "/run/shm", ""},
		"loop on the way":          {[][2]string{{"lib", "-> usr"}, {"usr", "-> lib"}}, "/lib/modules/6", ""},
		"itself, through a parent": {[][2]string{{"a", "-> /a/b"}}, "/a", "a"},
		"the root itself":          {[][2]string{{"root", "-> /"}}, "/root", "root"},
		"the root, on the way":     {[][2]string{{"lib", "directory"}, {"lib/modules", "-> ../"}}, "/lib/modules", "lib/modules"},
	} {
		t.Run(name, func(t *testing.T) {
			outside := t.TempDir()
			root := filepath.Join(outside, "image")
			os.Mkdir(root, 0o755)
			for _, e := range c.entries {
				place := filepath.Join(root, e[0])
				os.MkdirAll(filepath.Dir(place), 0o755)
				switch e[1] {
				case "directory":
					os.MkdirAll(place, 0o755)
				case "file":
					os.WriteFile(place, []byte("kept"), 0o644)
				default:
					os.Symlink(e[1][3:], place)
				}
			}
			got, err := makeDirectory(root, c.path, 0o755)
			if err != nil {
				t.Fatal(err)
			}
			// Where a loop is cut depends on where the walk meets it: what counts is a directory within the image.
			rel, err := filepath.Rel(root, got)
			if err != nil || c.want != "" && rel != c.want {
				t.Errorf("%s, want %s (%v)", rel, c.want, err)
			}
			if info, err := os.Lstat(got); err != nil || !info.IsDir() {
				t.Errorf("%s: %v", got, err)
			}
			if entries, _ := os.ReadDir(outside); len(entries) != 1 {
				t.Errorf("outside the image: %v", entries)
			}
			for _, e := range c.entries {
				if e[1] != "file" {
					continue
				}
				if text, err := os.ReadFile(filepath.Join(root, e[0]+aside)); err != nil || string(text) != "kept" {
					t.Errorf("the file is lost: %q %v", text, err)
				}
			}
			again, err := makeDirectory(root, c.path, 0o755)
			if err != nil || again != got {
				t.Errorf("the second time: %s %v, the first time %s", again, err, got)
			}
		})
	}
}
