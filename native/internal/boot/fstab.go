package boot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// notHere begins a line of the image's that names a device which a VM does not have. An init would wait for it, a minute
// and a half for each, and then give up the boot.
const notHere = "#banger: not in this VM: "

// deviceTable is a file of the image with a device in one of its columns, and options in another.
type deviceTable struct {
	path            string
	device, options int
}

var deviceTables = []deviceTable{{"/etc/fstab", 0, 3}, {"/etc/crypttab", 1, 3}}

// passOverDevices takes out of the image's tables what cannot work, and puts back what can by now. It writes to the VM's
// own disk, so that a change by the user is kept, too.
func (b *boot) passOverDevices() {
	for _, table := range deviceTables {
		old, err := os.ReadFile(table.path)
		if err == nil {
			if text := table.filter(string(old), deviceIsHere); text != string(old) {
				err = replaceFile(table.path, 0o644, []byte(text))
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.warn("%s: %v", table.path, err)
		}
	}
}

func (t deviceTable) filter(text string, here func(device string) bool) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		line = strings.TrimPrefix(line, notHere)
		lines[i] = line
		if fields := strings.Fields(line); len(fields) > t.device && !strings.HasPrefix(fields[0], "#") && !t.works(fields, here) {
			lines[i] = notHere + line
		}
	}
	return strings.Join(lines, "")
}

// elsewhere are types that need another hypervisor, or a driver that no distribution's kernel has.
var elsewhere = []string{"9p", "virtiofs", "vboxsf", "vmhgfs", "fuse.vmhgfs-fuse", "prl_fs", "zfs"}

func (t deviceTable) works(fields []string, here func(device string) bool) bool {
	options := ""
	if len(fields) > t.options {
		options = fields[t.options]
	}
	if slices.Contains(strings.Split(options, ","), "noauto") {
		return true // nobody waits for it
	}
	if len(fields) > 2 && slices.Contains(elsewhere, fields[2]) {
		return false
	}
	device := strings.ReplaceAll(fields[t.device], `"`, "")
	tag, _, tagged := strings.Cut(device, "=")
	switch {
	case tagged && slices.Contains([]string{"UUID", "LABEL", "PARTUUID", "PARTLABEL", "ID"}, tag):
		return here(device)
	case strings.HasPrefix(device, "/dev/"):
		return here(device)
	}
	return true
}

// made lists devices that appear once a program of the guest makes them, and those that every system has.
var made = []string{"/dev/zram", "/dev/loop", "/dev/ram", "/dev/nbd", "/dev/fd", "/dev/random", "/dev/urandom", "/dev/zero", "/dev/null", "/dev/shm"}

// deviceIsHere looks at what there is before udev has given names: device nodes, and the labels of the VM's disks.
func deviceIsHere(device string) bool {
	if strings.HasPrefix(device, "/dev/disk/by-uuid/") {
		device = "UUID=" + filepath.Base(device)
	}
	if strings.HasPrefix(device, "/dev/disk/by-label/") {
		device = "LABEL=" + filepath.Base(device)
	}
	if tag, value, tagged := strings.Cut(device, "="); tagged {
		disks, _ := filepath.Glob("/dev/vd*") // the pattern is right
		return slices.ContainsFunc(disks, func(disk string) bool {
			uuid, label, err := ext4Names(disk)
			return err == nil && (tag == "UUID" && strings.EqualFold(value, uuid) || tag == "LABEL" && value == label && label != "")
		})
	}
	if slices.ContainsFunc(made, func(prefix string) bool { return strings.HasPrefix(device, prefix) }) {
		return true
	}
	_, err := os.Stat(device)
	return err == nil
}

// ext4Names reads what a file system calls itself.
func ext4Names(disk string) (uuid, label string, err error) {
	f, err := os.Open(disk)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	super := make([]byte, 1024)
	if _, err := f.ReadAt(super, 1024); err != nil {
		return "", "", err
	}
	if binary.LittleEndian.Uint16(super[0x38:]) != 0xef53 {
		return "", "", fmt.Errorf("%s is no ext4", disk)
	}
	u := super[0x68:0x78]
	label, _, _ = strings.Cut(string(super[0x78:0x88]), "\x00")
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]), label, nil
}
