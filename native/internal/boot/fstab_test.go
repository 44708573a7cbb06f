package boot

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDevicesThatAreNotHereArePassedOver(t *testing.T) {
	here := []string{"/dev/vda", "UUID=aaaa", "LABEL=root"}
	isHere := func(device string) bool { return slices.Contains(here, device) }
	fstab, crypttab := deviceTables[0], deviceTables[1]
	for _, c := range []struct {
		table deviceTable
		line  string
		kept  bool
	}{
		{fstab, "PARTUUID=0f0f0f0f-01 / ext4 rw,discard,errors=remount-ro 0 1", false},
		{fstab, "LABEL=UEFI /boot/efi vfat umask=0077 0 1", false},
		{fstab, "LABEL=\"cloudimg rootfs\" / ext4 defaults 0 1", false},
		{fstab, "UUID=11111111-2222-3333-4444-555555555555 none swap sw 0 0", false},
		{fstab, "UUID=aaaa / ext4 defaults 0 1", true},
		{fstab, "UUID=\"aaaa\" / ext4 defaults 0 1", true},
		{fstab, "LABEL=root\t/\text4\tdefaults\t0\t1", true},
		{fstab, "/dev/sda1 / ext4 defaults 0 1", false},
		{fstab, "/dev/vda / ext4 defaults 0 1", true},
		{fstab, "/dev/mapper/vg-home /home xfs defaults,nofail 0 0", false},
		{fstab, "/dev/disk/by-id/scsi-1 /data ext4 defaults,x-systemd.automount 0 0", false},
		{fstab, "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0", true},
		{fstab, "PARTLABEL=home /home ext4", false},
		{fstab, "ID=nvme-1 /home ext4", false},
		{fstab, "tmpfs /tmp tmpfs nosuid,nodev 0 0", true},
		{fstab, "proc /proc proc defaults 0 0", true},
		{fstab, "none /sys/fs/bpf bpf defaults 0 0", true},
		{fstab, "/var/data /srv none bind 0 0", true},
		{fstab, "/swapfile none swap sw 0 0", true},
		{fstab, "server:/export /mnt nfs _netdev 0 0", true},
		{fstab, "//server/share /mnt cifs guest,uid=1000 0 0", true},
		{fstab, "hostshare /mnt 9p trans=virtio 0 0", false},
		{fstab, "share /mnt virtiofs defaults 0 0", false},
		{fstab, "vagrant /vagrant vboxsf uid=1000,_netdev 0 0", false},
		{fstab, "rpool/ROOT / zfs defaults 0 0", false},
		{fstab, "overlay /x overlay lowerdir=/a,upperdir=/b,workdir=/c 0 0", true},
		{fstab, "# /dev/sda1 / ext4", true},
		{fstab, "   # LABEL=x / ext4", true},
		{fstab, "", true},
		{fstab, "garbage", true},
		{fstab, "LABEL=UEFI /boot/efi vfat umask=0077 0 1\r", false},
		{crypttab, "swap1 /dev/sda2 /dev/urandom swap", false},
		{crypttab, "home UUID=bbbb none luks", false},
		{crypttab, "root UUID=aaaa none luks", true},
		{crypttab, "later UUID=bbbb none luks,noauto", true},
		{crypttab, "file /srv/secret.img none luks", true},
		{crypttab, "short", true},
	} {
		got := c.table.filter(c.line, isHere)
		if want := map[bool]string{true: c.line, false: notHere + c.line}[c.kept]; got != want {
			t.Errorf("%s: %q", c.table.path, got)
		}
		if again := c.table.filter(got, isHere); again != got {
			t.Errorf("the second time: %q", again)
		}
		fields := strings.Fields(c.line)
		if back := c.table.filter(got, func(string) bool { return true }); back != c.line && !slices.Contains(elsewhere, fields[2]) {
			t.Errorf("a device that is here by now: %q", back)
		}
	}
	text := "# all\nLABEL=UEFI /boot/efi vfat umask=0077 0 1\n\ntmpfs /tmp tmpfs\nLABEL=x /x ext4"
	if got := fstab.filter(text, isHere); got != "# all\n"+notHere+"LABEL=UEFI /boot/efi vfat umask=0077 0 1\n\ntmpfs /tmp tmpfs\n"+notHere+"LABEL=x /x ext4" {
		t.Errorf("%q", got)
	}
}

func TestTheNamesOfAFileSystem(t *testing.T) {
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		t.Skip("no mkfs.ext4")
	}
	disk := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(disk, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if uuid, label, err := ext4Names(disk); err == nil {
		t.Errorf("an empty disk has names: %s %s", uuid, label)
	}
	if out, err := exec.Command(mkfs, "-q", "-F", "-L", "cloudimg", "-U", "11111111-2222-3333-4444-5555aaaabbbb", disk).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if uuid, label, err := ext4Names(disk); err != nil || uuid != "11111111-2222-3333-4444-5555aaaabbbb" || label != "cloudimg" {
		t.Errorf("%s %s %v", uuid, label, err)
	}
}
