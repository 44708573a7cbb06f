package boot

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAGuestHasTheHostsTimeZoneUnlessItHasOneOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct{ zone, has, want string }{
		"none":             {"Europe/Vienna", "", "../usr/share/zoneinfo/Europe/Vienna"},
		"that of images":   {"Europe/Vienna", "/usr/share/zoneinfo/Etc/UTC", "../usr/share/zoneinfo/Europe/Vienna"},
		"its own":          {"Europe/Vienna", "/usr/share/zoneinfo/Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo"},
		"one it knows not": {"Mars/Olympus", "/usr/share/zoneinfo/Etc/UTC", "/usr/share/zoneinfo/Etc/UTC"},
		"not known":        {"", "/usr/share/zoneinfo/Etc/UTC", "/usr/share/zoneinfo/Etc/UTC"},
	} {
		root := t.TempDir()
		for _, zone := range []string{"Etc/UTC", "Europe/Vienna", "Asia/Tokyo"} {
			file := filepath.Join(root, zones, zone)
			os.MkdirAll(filepath.Dir(file), 0o755)
			os.WriteFile(file, []byte(zone), 0o644)
		}
		os.MkdirAll(filepath.Join(root, "etc"), 0o755)
		if c.has != "" {
			os.Symlink(c.has, filepath.Join(root, localtime))
		}
		if err := setZone(root, c.zone); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := os.Readlink(filepath.Join(root, localtime)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAZoneThatIsAFileStays(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{filepath.Join(zones, "Europe/Vienna"), localtime} {
		os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755)
		os.WriteFile(filepath.Join(root, file), []byte("x"), 0o644)
	}
	if err := setZone(root, "Europe/Vienna"); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Lstat(filepath.Join(root, localtime)); !info.Mode().IsRegular() {
		t.Error("it was replaced")
	}
}
