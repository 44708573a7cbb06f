package boot

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	profileText = "/etc/profile"
	// profileDropIn is read late among its like.
	profileDropIn = "/etc/profile.d/zz-banger.sh"
)

// profileHook has `banger-guest profile` look at what the shell began with, and what has become of it.
const profileHook = `# Written by banger: variables that the image's maker or the caller set outlive this profile.
[ ! -x ` + Program + ` ] || eval "$(` + Program + ` profile $$)"
`

// hookProfile lets login shells keep the variables that they begin with: the profiles of most distributions set PATH anew.
// The hook does nothing outside a VM, and is not written again where it stands.
func (b *boot) hookProfile() {
	if err := hookProfile("/"); err != nil {
		b.warn("%v", err)
	}
}

func hookProfile(root string) error {
	path := filepath.Join(root, profileText)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no shell of this image takes anything away
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if strings.Contains(string(text), "profile.d") {
		return replaceFile(filepath.Join(root, profileDropIn), 0o644, []byte(profileHook))
	}
	if strings.Contains(string(text), profileHook) {
		return nil
	}
	return replaceFile(path, info.Mode().Perm(), append([]byte(strings.TrimRight(string(text), "\n")+"\n"), profileHook...))
}
