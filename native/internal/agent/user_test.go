package agent

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestLookUp(t *testing.T) {
	etc := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := lookUp(etc, ""); err != nil || a.uid != 0 || a.home != "/root" || a.shell != "/bin/sh" {
		t.Errorf("root without a database: %+v %v", a, err)
	}
	if _, err := lookUp(etc, "dev"); err == nil {
		t.Error("found dev without a database")
	}
	write("passwd", "# comment\nroot:x:0:0:root:/root:/bin/bash\nbroken:x:one:1::/:/bin/sh\n1001:x:7:7::/seven:/bin/sh\ndev:x:1001:1002:,,,:/home/dev:\n")
	write("group", "root:x:0:\ndocker:x:998:a,dev\ndevs:x:1002:dev\nother:x:5:devil\n")
	if a, err := lookUp(etc, "root"); err != nil || a.shell != "/bin/bash" {
		t.Errorf("%+v %v", a, err)
	}
	a, err := lookUp(etc, "dev")
	if err != nil || a.uid != 1001 || a.gid != 1002 || a.home != "/home/dev" || a.shell != "/bin/sh" || !slices.Equal(a.groups, []uint32{1002, 998}) {
		t.Errorf("%+v %v", a, err)
	}
	// A name of digits is a name first, as for chown.
	if a, err := lookUp(etc, "1001"); err != nil || a.uid != 7 {
		t.Errorf("%+v %v", a, err)
	}
	if a, err := lookUp(etc, "7"); err != nil || a.home != "/seven" {
		t.Errorf("%+v %v", a, err)
	}
}
