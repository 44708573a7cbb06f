package kernel

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"banger.dev/native/internal/regular"
)

// maxModule bounds one unpacked module, in bytes.
const maxModule = 256 << 20

// depmodTime is far more than depmod takes for the largest trees.
const depmodTime = 10 * time.Minute

// maxIndex bounds a file that depmod made, in bytes: those of distributions have a few MiB.
const maxIndex = 64 << 20

// Tree is /lib/modules/RELEASE with its indexes read.
type Tree struct {
	Dir, Release string
	// index holds what depmod had to make, among links to the tree's own files; empty when the tree was complete.
	index string
	// files maps a module's name to its path below Dir, builtin names those in vmlinux.
	files   map[string]string
	builtin map[string]bool
	depends map[string][]string
	aliases map[string][]string
	before  map[string][]string
}

// OpenTree reads a module tree. A tree fresh from a package has no modules.dep: depmod then makes one below scratch.
func OpenTree(dir, scratch string) (*Tree, error) {
	named, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	// The walk would not enter a symlink.
	if dir, err = filepath.EvalSymlinks(named); err != nil {
		return nil, err
	}
	t := &Tree{
		Dir: dir, Release: filepath.Base(named),
		files: map[string]string{}, builtin: map[string]bool{}, depends: map[string][]string{},
		aliases: map[string][]string{}, before: map[string][]string{},
	}
	if _, err := os.Stat(filepath.Join(dir, "modules.builtin")); err != nil {
		return nil, fmt.Errorf("%s is not a module tree: %w", dir, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "modules.dep")); errors.Is(err, fs.ErrNotExist) {
		if err := t.depmod(scratch); err != nil {
			return nil, err
		}
	}
	return t, errors.Join(
		t.eachLine("modules.builtin", func(line string) { t.builtin[moduleName(line)] = true }),
		t.eachLine("modules.dep", t.addDepends),
		t.eachLine("modules.alias", t.addAlias),
		t.eachLine("modules.softdep", t.addSoftdep),
	)
}

// depmod runs the host's own over links to this tree, which it then does not write to. (Its --outdir is newer than Debian 12.)
func (t *Tree) depmod(scratch string) error {
	program, err := exec.LookPath("depmod")
	if err != nil {
		// Not in an ordinary user's PATH everywhere.
		if program, err = exec.LookPath("/sbin/depmod"); err != nil {
			return fmt.Errorf("%s has no modules.dep, and depmod (package kmod) is not installed to make one", t.Dir)
		}
	}
	base := filepath.Join(scratch, "depmod")
	t.index = filepath.Join(base, "lib", "modules", t.Release)
	if err := t.onlyFiles(); err != nil {
		return err
	}
	if err := os.MkdirAll(t.index, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(t.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join(t.Dir, e.Name()), filepath.Join(t.index, e.Name())); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), depmodTime)
	defer cancel()
	defer inOwnDomain()()
	if text, err := exec.CommandContext(ctx, program, "-b", base, t.Release).CombinedOutput(); err != nil {
		return fmt.Errorf("depmod on %s: %w: %.300s", t.Dir, err, bytes.TrimSpace(text))
	}
	return nil
}

// inOwnDomain keeps what this goroutine starts in this process's SELinux domain: the one that policies have for depmod may read
// little but /lib/modules. Where that cannot be had, depmod runs as the policy says.
func inOwnDomain() (undo func()) {
	if _, err := os.Stat("/sys/fs/selinux/enforce"); err != nil {
		return func() {}
	}
	runtime.LockOSThread()
	own, err := os.ReadFile("/proc/thread-self/attr/current")
	if err == nil {
		_ = os.WriteFile("/proc/thread-self/attr/exec", own, 0)
	}
	return func() {
		_ = os.WriteFile("/proc/thread-self/attr/exec", []byte{0}, 0)
		runtime.UnlockOSThread()
	}
}

// onlyFiles refuses what depmod would wait for, such as a FIFO.
func (t *Tree) onlyFiles() error {
	count := 0
	return filepath.WalkDir(t.Dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if count++; count > maxEntries {
			return fmt.Errorf("%s has more than %d files", t.Dir, maxEntries)
		}
		if kind := entry.Type(); kind != 0 && kind != fs.ModeDir && kind != fs.ModeSymlink {
			return fmt.Errorf("%s is neither a file, a directory nor a link", file)
		}
		return nil
	})
}

// path finds one of the tree's own files, or depmod's in its place.
func (t *Tree) path(name string) string {
	if made := filepath.Join(t.index, name); t.index != "" && isRegular(made) {
		return made
	}
	return filepath.Join(t.Dir, name)
}

func isRegular(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

func (t *Tree) eachLine(name string, visit func(string)) error {
	f, info, err := regular.Open(t.path(name))
	if err != nil {
		return err
	}
	defer f.Close()
	if info.Size() > maxIndex {
		return fmt.Errorf("%s has %d MiB: it is no index of modules", name, info.Size()>>20)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20) // a line of modules.dep lists everything a module needs
	for lines.Scan() {
		visit(lines.Text())
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// addDepends reads "kernel/a.ko: kernel/b.ko kernel/c.ko", where c is to be loaded before b.
func (t *Tree) addDepends(line string) {
	file, needs, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	name := moduleName(file)
	t.files[name] = file
	for _, need := range strings.Fields(needs) {
		t.depends[name] = append(t.depends[name], moduleName(need))
	}
}

func (t *Tree) addAlias(line string) {
	if f := strings.Fields(line); len(f) == 3 && f[0] == "alias" {
		t.aliases[f[1]] = append(t.aliases[f[1]], moduleName(f[2]))
	}
}

// addSoftdep reads "softdep ext4 pre: crc32c post: x": what the module asks the kernel for without linking to it.
func (t *Tree) addSoftdep(line string) {
	f := strings.Fields(line)
	if len(f) < 3 || f[0] != "softdep" {
		return
	}
	pre := false
	for _, word := range f[2:] {
		if strings.HasSuffix(word, ":") {
			pre = word == "pre:"
		} else if pre {
			name := moduleName(f[1])
			t.before[name] = append(t.before[name], word)
		}
	}
}

// moduleName is what the kernel calls the module in a file: no directory, no suffix, underscores.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".")
	return strings.ReplaceAll(name, "-", "_")
}

// module reads a module and unpacks it: an initramfs has nothing to do so.
func (t *Tree) module(name string) ([]byte, error) {
	file := t.files[name]
	f, _, err := regular.Open(filepath.Join(t.Dir, file))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := unpacked(f, path.Ext(file))
	var content []byte
	if err == nil {
		content, err = regular.All(r, "it", maxModule)
	}
	if err == nil && !bytes.HasPrefix(content, []byte("\x7fELF")) {
		err = errors.New("not an ELF")
	}
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", file, err)
	}
	return content, nil
}
