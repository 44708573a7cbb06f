package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxDatabase is how much of a user database is read, in bytes.
const maxDatabase = 16 << 20

// maxID is the largest number that a user may ask for, as for Docker; 2^32-1 would mean "leave it" to the kernel.
const maxID = math.MaxInt32

// account is a line of /etc/passwd with the groups of /etc/group. Read by hand: os/user knows no shells. The name is
// empty where a number has no line.
type account struct {
	name, home, shell string
	uid, gid          uint32
	groups            []uint32
}

// lookUp reads `USER[:GROUP]`, names or numbers, as Docker does, in the database under etc: a number is an id, whether
// or not it has a line. Root is there in any image, whatever its database is.
func lookUp(etc, spec string) (*account, error) {
	user, group, _ := strings.Cut(spec, ":")
	found, err := findUser(etc+"/passwd", user)
	if err != nil {
		return nil, err
	}
	if found.shell == "" {
		found.shell = "/bin/sh"
	}
	if group == "" {
		found.groups = groupsOf(etc+"/group", found)
		return found, nil
	}
	found.gid, err = findGroup(etc+"/group", group)
	found.groups = []uint32{found.gid}
	return found, err
}

func findUser(file, user string) (*account, error) {
	if user == "" || user == "root" || user == "0" {
		return findRoot(file), nil
	}
	id, isID, err := number("user", user)
	if err != nil {
		return nil, err
	}
	var found *account
	readErr := accounts(file, func(a account) bool {
		if isID && a.uid == id || !isID && a.name == user {
			found = &a
		}
		return found == nil
	})
	switch {
	case found != nil:
		if found.home == "" {
			found.home = "/"
		}
		return found, nil
	case isID:
		return &account{uid: id, home: "/"}, nil
	case readErr != nil:
		return nil, fmt.Errorf("no user %q in the guest: %w", user, readErr)
	}
	return nil, fmt.Errorf("no user %q in the guest", user)
}

// findRoot prefers the line named root to others of uid 0, and needs none.
func findRoot(file string) *account {
	root := account{name: "root", home: "/root"}
	first := true
	_ = accounts(file, func(a account) bool { // root's commands run without a database, too
		if a.uid != 0 || !first && a.name != "root" {
			return true
		}
		root, first = a, false
		return a.name != "root"
	})
	root.gid = 0
	if root.home == "" {
		root.home = "/root"
	}
	return &root
}

// findGroup is for a group that is asked for.
func findGroup(file, group string) (uint32, error) {
	gid, isID, err := number("group", group)
	if isID || err != nil {
		return gid, err
	}
	found := false
	readErr := eachLine(file, 3, func(f []string) bool {
		if f[0] == group {
			gid, found = id(f[2])
		}
		return !found
	})
	if found {
		return gid, nil
	}
	return 0, errors.Join(fmt.Errorf("no group %q in the guest", group), readErr)
}

// groupsOf lists the account's own group first. What cannot be read adds none.
func groupsOf(file string, a *account) []uint32 {
	found := []uint32{a.gid}
	_ = eachLine(file, 4, func(f []string) bool {
		gid, ok := id(f[2])
		if ok && a.name != "" && !slices.Contains(found, gid) && slices.Contains(strings.Split(f[3], ","), a.name) {
			found = append(found, gid)
		}
		return true
	})
	return found
}

// number reads what is an id if it consists of digits.
func number(what, text string) (value uint32, is bool, err error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > maxID {
		return 0, true, fmt.Errorf("%s %s: ids go up to %d", what, text, maxID)
	}
	return uint32(n), true, nil
}

func id(text string) (uint32, bool) {
	n, err := strconv.ParseUint(text, 10, 32)
	return uint32(n), err == nil && n != math.MaxUint32
}

// accounts visits the lines of a passwd that have a name and two ids; home and shell may be missing.
func accounts(file string, visit func(account) bool) error {
	return eachLine(file, 4, func(f []string) bool {
		uid, uidOK := id(f[2])
		gid, gidOK := id(f[3])
		// NIS: `+name` and `-name` are no accounts.
		if !uidOK || !gidOK || f[0] == "" || strings.ContainsAny(f[0][:1], "+-") {
			return true
		}
		f = append(f, "", "", "")
		return visit(account{name: f[0], uid: uid, gid: gid, home: f[5], shell: f[6]})
	})
}

// eachLine splits a colon-separated database; lines with fewer than n fields are comments or damage, as are endless ones.
func eachLine(file string, n int, visit func([]string) bool) error {
	// Without waiting, should a FIFO lie there.
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(fmt.Errorf("%s is not a file", file), err)
	}
	lines := bufio.NewReaderSize(io.LimitReader(f, maxDatabase), 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			for err == bufio.ErrBufferFull {
				_, err = lines.ReadSlice('\n')
			}
			line = nil
		}
		text := strings.TrimRight(string(line), "\r\n")
		fields := strings.Split(text, ":")
		if len(fields) >= n && !strings.HasPrefix(text, "#") && !visit(fields) {
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// credential is nil when there is nothing to change, so that tests need no privilege.
func (a *account) credential() *syscall.Credential {
	if int(a.uid) == os.Getuid() && int(a.gid) == os.Getgid() && a.uid != 0 {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
}
