import type { GuestPatch } from "../capability.ts"

/** Spec 3.7. A drop-in, since Debian's sshd_config includes them first and the first value of a keyword wins. */
const SSHD = `PermitRootLogin prohibit-password
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile /root/.ssh/authorized_keys
StrictModes yes
UseDNS no
HostKey /etc/ssh/ssh_host_ed25519_key
`

/** Units that wait for hardware or networks a microVM does not have, or that would change what the guest program set. */
const MASK = [
  "systemd-udev-settle.service",
  "systemd-timesyncd.service",
  "e2scrub_reap.service",
  "e2scrub_all.timer",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "man-db.timer",
  "dpkg-db-backup.timer",
  "fstrim.timer",
  "getty@tty1.service",
  "serial-getty@ttyS0.service",
  "systemd-remount-fs.service",
  "cloud-init.service"
]

export const guest = (): GuestPatch => ({
  files: [{ path: "/etc/ssh/sshd_config.d/00-banger.conf", mode: "0644", content: SSHD }],
  mask: MASK
})

/** The files that depend on the VM's keys. */
export const keyFiles = (keys: { readonly privateKey: string; readonly publicKey: string; readonly authorized: string }): GuestPatch => ({
  files: [
    { path: "/etc/ssh/ssh_host_ed25519_key", mode: "0600", content: keys.privateKey },
    { path: "/etc/ssh/ssh_host_ed25519_key.pub", mode: "0644", content: keys.publicKey },
    { path: "/root/.ssh/authorized_keys", mode: "0600", content: keys.authorized }
  ]
})
