package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symlinks a path may lead through, as for the kernel.
const maxLinks = 40

// aside is what is added to the name of something that stood where a directory must be.
const aside = ".before-banger"

// makeDirectory makes sure that path is a directory below root and gives the place where it really is. Symlinks are
// followed as they mean it in the guest: an absolute one begins at root, and none climbs above root. What one that leads
// nowhere leads to is made; what is no directory, or a loop, gives way and is kept beside it.
func makeDirectory(root, path string, mode fs.FileMode) (string, error) {
	at, links := "/", 0
	for pending := strings.Split(path, "/"); len(pending) > 0; {
		part := pending[0]
		pending = pending[1:]
		if part == "" || part == "." {
			continue
		}
		next := filepath.Join(at, part) // `..` of / is /
		place := filepath.Join(root, next)
		info, err := os.Lstat(place)
		switch {
		case err == nil && info.IsDir():
			at = next
			continue
		case err == nil && info.Mode()&fs.ModeSymlink != 0 && links < maxLinks:
			target, err := os.Readlink(place)
			if err != nil {
				return "", err
			}
			links++
			if filepath.IsAbs(target) {
				at = "/"
			}
			pending = append(strings.Split(target, "/"), pending...)
			continue
		case err == nil:
			if err := giveWay(place); err != nil {
				return "", err
			}
			if links == maxLinks {
				return makeDirectory(root, path, mode) // the loop is cut
			}
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
		if err := os.Mkdir(place, mode); err != nil {
			return "", err
		}
		at = next
	}
	if at != "/" || filepath.Clean(path) == "/" {
		return filepath.Join(root, at), nil
	}
	// A link to / itself: what is mounted there would hide the whole image.
	above, err := makeDirectory(root, filepath.Dir(path), mode)
	if err == nil {
		err = giveWay(filepath.Join(above, filepath.Base(path)))
	}
	if err != nil {
		return "", err
	}
	return makeDirectory(root, path, mode)
}

// giveWay renames what stands in the way of a directory.
func giveWay(place string) error {
	kept := place + aside
	for exists(kept) {
		kept += "~"
	}
	console("warning: %s cannot be used as a directory: it is %s now", place, kept)
	if err := os.Rename(place, kept); err != nil {
		return fmt.Errorf("make room for the directory %s: %w", place, err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
