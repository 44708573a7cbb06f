package oci

import (
	"archive/tar"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"banger.dev/native/internal/room"
)

// halves converts an image into a root file system and a work seed; the seed's name is empty where there is none.
func halves(t *testing.T, layers ...[]byte) (rootfs, seed string, result *Result) {
	t.Helper()
	dir := t.TempDir()
	to := Target{Rootfs: filepath.Join(dir, "rootfs"), Seed: filepath.Join(dir, "seed")}
	result, err := Import(context.Background(), imageOf(t, layers...).layout(t), to, DefaultLimits, silent)
	if err != nil {
		t.Fatal(err)
	}
	made := []string{to.Rootfs}
	if _, err := os.Stat(to.Seed); err == nil {
		seed, made = to.Seed, append(made, to.Seed)
	}
	for _, name := range made {
		if text, err := exec.Command("/sbin/e2fsck", "-fn", name).CombinedOutput(); err != nil {
			t.Errorf("e2fsck %s: %v\n%s", filepath.Base(name), err, text)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.partial")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return to.Rootfs, seed, result
}

// in gives the names in a directory of a file system, but for lost+found.
func in(t *testing.T, image, directory string) string {
	t.Helper()
	var names []string
	for line := range strings.Lines(debugfs(t, image, "ls -p "+directory)) {
		if fields := strings.Split(line, "/"); len(fields) > 5 && fields[5] != "." && fields[5] != ".." && fields[5] != "lost+found" {
			names = append(names, fields[5])
		}
	}
	return strings.Join(names, " ")
}

func TestWhatAnImageHasInRootIsItsWorkSeed(t *testing.T) {
	rootfs, seed, result := halves(t,
		headers(t,
			&tar.Header{Name: "root/", Typeflag: tar.TypeDir, Mode: 0o711, Uid: 0, Gid: 7},
			&tar.Header{Name: "root/tool", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 5, Size: 10, PAXRecords: map[string]string{xattrPrefix + "user.note": "mine"}, Format: tar.FormatPAX},
			&tar.Header{Name: "root/hidden", Typeflag: tar.TypeReg},
			&tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Size: 4},
			&tar.Header{Name: "root/passwd", Typeflag: tar.TypeLink, Linkname: "etc/passwd"},
			&tar.Header{Name: "root/again", Typeflag: tar.TypeLink, Linkname: "root/tool"}),
		layerOf(t, "root/.wh.hidden", "root/app/run.sh"))
	if in(t, rootfs, "/root") != "" || in(t, rootfs, "/etc") != "passwd" {
		t.Errorf("the root file system has %q in /root, %q in /etc", in(t, rootfs, "/root"), in(t, rootfs, "/etc"))
	}
	if seed == "" {
		t.Fatal("there is no seed")
	}
	if names := in(t, seed, "/"); names != "again app passwd tool" {
		t.Errorf("the seed has %q", names)
	}
	if result.InRoot != 4 {
		t.Errorf("%d files in /root", result.InRoot)
	}
	for _, test := range []struct{ image, path, want string }{
		{rootfs, "/root", "Mode:  0711"},
		{rootfs, "/root", "Group:     7"},
		{seed, "/", "Mode:  0711"},
		{seed, "/", "Group:     7"},
		// A journal for the disk that it grows to.
		{seed, "<8>", "Size: 33554432"},
		{seed, "/tool", "Mode:  04755"},
		{seed, "/tool", "User:     5"},
		{seed, "/tool", `user.note (4) = "mine"`},
		// Two names in the seed are one file; a name on each side is a file of its own.
		{seed, "/tool", "Links: 2"},
		{seed, "/passwd", "Links: 1"},
		{seed, "/passwd", "Size: 4"},
		{rootfs, "/etc/passwd", "Links: 1"},
		{rootfs, "/etc/passwd", "Size: 4"},
	} {
		if stat := debugfs(t, test.image, "stat "+test.path); !strings.Contains(stat, test.want) {
			t.Errorf("%s of %s has no %q:\n%s", test.path, filepath.Base(test.image), test.want, stat)
		}
	}
}

func TestTheSeedIsWhereRootLeads(t *testing.T) {
	for what, test := range map[string]struct {
		items          []string
		inSeed, stays  string
		elsewhere, has string
	}{
		"a link":                    {[]string{"var/roothome/a", "root -> var/roothome"}, "a", "", "/var/roothome", ""},
		"an absolute link":          {[]string{"var/roothome/a", "root -> /var/roothome"}, "a", "", "/var/roothome", ""},
		"a link that leads nowhere": {[]string{"a", "root -> var/roothome"}, "", "", "/", "a root"},
		"a link to the root itself": {[]string{"a", "root -> /"}, "", "", "/", "a root"},
		"links in circles":          {[]string{"root -> b", "b -> root"}, "", "", "/", "b root"},
		"a file":                    {[]string{"root=file"}, "", "", "/", "root"},
		"an empty directory":        {[]string{"root/", "b"}, "", "", "/", "b root"},
		"no /root at all":           {[]string{"b"}, "", "", "/", "b"},
	} {
		rootfs, seed, result := halves(t, layerOf(t, test.items...))
		if (seed != "") != (test.inSeed != "") || (result.InRoot > 0) != (test.inSeed != "") {
			t.Errorf("%s: the seed is %q, with %d files", what, seed, result.InRoot)
		}
		if seed != "" && in(t, seed, "/") != test.inSeed {
			t.Errorf("%s: the seed has %q", what, in(t, seed, "/"))
		}
		if got := in(t, rootfs, test.elsewhere); got != test.has {
			t.Errorf("%s: %s has %q, not %q", what, test.elsewhere, got, test.has)
		}
	}
}

func TestTheSameImageMakesTheSameSeed(t *testing.T) {
	layer := layerOf(t, "root/", "root/a", "root/b/c", "root/d => root/a")
	var sums []string
	for range 2 {
		rootfs, seed, _ := halves(t, layer)
		sums = append(sums, sumOf(t, rootfs)+sumOf(t, seed))
	}
	if sums[0] != sums[1] {
		t.Error("two seeds of one image differ")
	}
}

func TestASeedThatCannotBeWrittenLeavesNoRootFileSystem(t *testing.T) {
	dir := t.TempDir()
	to := Target{Rootfs: filepath.Join(dir, "rootfs"), Seed: filepath.Join(dir, "missing", "seed")}
	if _, err := Import(context.Background(), imageOf(t, layerOf(t, "root/a")).layout(t), to, DefaultLimits, silent); err == nil {
		t.Error("it could be written")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAnImageIsNotWrittenIntoTheReserve(t *testing.T) {
	limits := DefaultLimits
	limits.Reserve = room.Reserve{Bytes: 1 << 62}
	if _, _, err := convert(t, imageOf(t, layerOf(t, "a", "root/b")).layout(t), limits); AsFault(err).Kind != NoRoom || !strings.Contains(AsFault(err).Fix, "banger prune") {
		t.Error(err)
	}
}
