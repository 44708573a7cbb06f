package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"banger.dev/native/internal/config"
)

// inImage names the image that becomes the root of a second run of the test, in a mount namespace of its own.
const inImage = "BANGER_TEST_IN_IMAGE"

// The mounts of a boot, in images that lead them astray: what bootc and ostree make, and worse.
func TestMountsInOddImages(t *testing.T) {
	if root := os.Getenv(inImage); root != "" {
		if err := unix.Chroot(root); err != nil {
			t.Fatal(err)
		}
		if err := unix.Chdir("/"); err != nil {
			t.Fatal(err)
		}
		bootMounts(t)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("mounts")
	}
	for name, links := range map[string]map[string]string{
		"plain":   {},
		"bootc":   {"root": "var/roothome", "home": "var/home", "tmp": "sysroot/tmp"},
		"nowhere": {"root": "/gone/root", "run": "../../gone/run", "proc": "gone/proc", "sys": "/gone/sys", "dev": "gone/dev", "lib": "usr/lib", "etc": "usr/etc", "tmp": "/gone/tmp"},
		"loops":   {"root": "root", "run": "var/run", "var/run": "../run", "lib": "usr/lib", "usr/lib": "../lib", "tmp": "tmp"},
		"to /":    {"root": "/", "run": "."},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for link, target := range links {
				os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o755)
				if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(root, "kept"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("/proc/self/exe", "-test.run", "^TestMountsInOddImages$", "-test.v")
			cmd.Env = append(os.Environ(), inImage+"="+root)
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func bootMounts(t *testing.T) {
	b := &boot{config: &config.Config{Hostname: "vm"}}
	if err := mountPseudo(append(kernelMounts, userMounts...)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/root", "/lib/modules/6.1.0"} {
		at, err := makeDirectory("/", path, 0o755)
		if err == nil {
			err = unix.Mount("tmpfs", at, "tmpfs", 0, "")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.makeTmp()
	if err := replaceFile("/etc/hostname", 0o644, []byte("vm\n")); err != nil {
		t.Error(err)
	}
	for path, fs := range map[string]int64{"/proc": unix.PROC_SUPER_MAGIC, "/sys": unix.SYSFS_MAGIC, "/run": unix.TMPFS_MAGIC, "/root": unix.TMPFS_MAGIC, "/dev/pts": 0x1cd1, "/lib/modules/6.1.0": unix.TMPFS_MAGIC} {
		var stat unix.Statfs_t
		if err := unix.Statfs(path, &stat); err != nil || stat.Type != fs {
			t.Errorf("%s: type %#x, %v", path, stat.Type, err)
		}
	}
	for _, path := range []string{"/dev/null", "/proc/self/exe", "/etc/hostname", "/kept"} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat("/tmp"); err != nil || !info.IsDir() || info.Mode()&os.ModeSticky == 0 {
		t.Errorf("/tmp: %v %v", info, err)
	}
	if len(b.warnings) > 0 {
		t.Error(b.warnings)
	}
}
