package agent

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// account is a line of /etc/passwd with the groups of /etc/group. Read by hand: os/user knows no shells.
type account struct {
	name, home, shell string
	uid, gid          uint32
	groups            []uint32
}

// lookUp finds a user by name or number in the database under etc. Root is there in any image, with or without a database.
func lookUp(etc, user string) (*account, error) {
	if user == "" {
		user = "root"
	}
	found, err := passwd(etc+"/passwd", user)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if found == nil {
		if user != "root" && user != "0" {
			return nil, fmt.Errorf("no user %q in the guest", user)
		}
		found = &account{name: "root", home: "/root"}
	}
	if found.shell == "" {
		found.shell = "/bin/sh"
	}
	found.groups, err = groups(etc+"/group", found)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return found, nil
}

func passwd(file, user string) (*account, error) {
	var byNumber *account
	err := eachLine(file, 7, func(f []string) bool {
		uid, uidErr := strconv.ParseUint(f[2], 10, 32)
		gid, gidErr := strconv.ParseUint(f[3], 10, 32)
		if uidErr != nil || gidErr != nil {
			return true
		}
		a := &account{name: f[0], uid: uint32(uid), gid: uint32(gid), home: f[5], shell: f[6]}
		if f[0] == user {
			byNumber = a
			return false
		}
		if f[2] == user && byNumber == nil {
			byNumber = a
		}
		return true
	})
	return byNumber, err
}

func groups(file string, a *account) ([]uint32, error) {
	found := []uint32{a.gid}
	err := eachLine(file, 4, func(f []string) bool {
		gid, err := strconv.ParseUint(f[2], 10, 32)
		if err == nil && !slices.Contains(found, uint32(gid)) && slices.Contains(strings.Split(f[3], ","), a.name) {
			found = append(found, uint32(gid))
		}
		return true
	})
	return found, err
}

// eachLine splits a colon-separated database; lines with other than n fields are comments or damage.
func eachLine(file string, n int, visit func([]string) bool) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ":"); len(fields) == n && !visit(fields) {
			return nil
		}
	}
	return lines.Err()
}

// credential is nil when there is nothing to change, so that tests need no privilege.
func (a *account) credential() *syscall.Credential {
	if int(a.uid) == os.Getuid() && int(a.gid) == os.Getgid() && a.uid != 0 {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
}
