package boot

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	zones     = "/usr/share/zoneinfo"
	localtime = "/etc/localtime"
)

// zone gives a guest the host's time zone. One that has a zone of its own keeps it, and so does one whose image knows no zones.
func (b *boot) zone() {
	if err := setZone("/", b.config.Timezone); err != nil {
		b.warn("time zone: %v", err)
	}
}

// setZone works on the root that is given.
func setZone(root, name string) error {
	if name == "" {
		return nil
	}
	file := filepath.Join(zones, name)
	if _, err := os.Stat(filepath.Join(root, file)); err != nil {
		return nil
	}
	link := filepath.Join(root, localtime)
	switch old, err := os.Readlink(link); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil || !isUTC(old):
		return nil
	}
	tmp := link + ".banger"
	os.Remove(tmp)
	if err := os.Symlink(".."+file, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, link); err != nil {
		os.Remove(tmp)
		return err
	}
	// Debian's own copy of the name, which its tools believe.
	if path := filepath.Join(root, "/etc/timezone"); isThere(path) {
		return replaceFile(path, 0o644, []byte(name+"\n"))
	}
	return nil
}

// isUTC says whether a link of localtime's leads to the zone that images come with.
func isUTC(target string) bool {
	_, name, _ := strings.Cut(target, zones+"/")
	return name == "UTC" || name == "Etc/UTC" || name == "UCT" || name == "Etc/UCT" || name == "Universal" || name == "Zulu"
}
