import { environmentOf } from "@banger/domain/run-config.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { GuestPatch } from "../capability.ts"

/** A drop-in, since Debian's sshd_config includes them first and the first value of a keyword wins. */
const SSHD = `PermitRootLogin prohibit-password
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile /root/.ssh/authorized_keys
StrictModes yes
UseDNS no
HostKey /etc/ssh/ssh_host_ed25519_key
`

/**
 * The image's variables for every session, as sshd reads them: in double quotes, in which it knows no way to write some
 * characters. Those variables are left to what /etc/profile says.
 */
export const setEnv = (environment: Readonly<Record<string, string>>): string => {
  // oxlint-disable-next-line no-control-regex
  const words = Object.entries(environment).filter(([, value]) => !/[\x00-\x1f\x7f"\\]/.test(value)).map(([name, value]) => `"${name}=${value}"`)
  return words.length === 0 ? "" : `SetEnv ${words.join(" ")}\n`
}

/**
 * Units that wait for hardware, networks or somebody at the console, which a microVM does not have, or that would change
 * what the guest program set.
 */
const MASK = [
  "systemd-udev-settle.service",
  "systemd-firstboot.service",
  "systemd-homed-firstboot.service",
  "initial-setup.service",
  "systemd-timesyncd.service",
  "systemd-time-wait-sync.service",
  "e2scrub_reap.service",
  "e2scrub_all.timer",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "man-db.timer",
  "dpkg-db-backup.timer",
  "fstrim.timer",
  "getty@tty1.service",
  "serial-getty@ttyS0.service",
  "console-getty.service",
  "systemd-remount-fs.service",
  // A network by DHCP, which nobody here answers.
  "networking.service",
  "ifup@eth0.service",
  "dhcpcd.service",
  "dhcpcd@eth0.service",
  // The settings of a cloud, from a source that is not there.
  "cloud-init-local.service",
  "cloud-init-main.service",
  "cloud-init-network.service",
  "cloud-init.service",
  "cloud-config.service",
  "cloud-final.service",
  "cloud-init-hotplugd.socket",
  // They put an initramfs where the guest program waits for the shutdown.
  "dracut-shutdown.service",
  "mkinitcpio-generate-shutdown-ramfs.service"
]

export const guest = ({ run }: VmSpec): GuestPatch => ({
  files: [{ path: "/etc/ssh/sshd_config.d/00-banger.conf", mode: "0644", content: `${SSHD}${setEnv(environmentOf(run))}` }],
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

/** Where git looks for a user's and a machine's settings. */
const GIT = ["/root/.gitconfig", "/root/.config/git/config", "/etc/gitconfig"]

/** A value of git's configuration, in the quotes in which it may have any character. */
const quoted = (value: string) => `"${value.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`

/** The owner's name in commits that are made in the guest, where nobody set up git there. */
export const ownerFiles = (git: ReadonlyMap<string, string>): GuestPatch => {
  const lines = [...git].map(([key, value]) => `\t${key.slice("user.".length)} = ${quoted(value)}\n`)
  return lines.length === 0 ? {} : { files: [{ path: "/root/.gitconfig", mode: "0644", content: `[user]\n${lines.join("")}`, unless: GIT }] }
}
