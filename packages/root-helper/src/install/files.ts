import type { InstallRecord } from "../settings.ts"

/** Every file that an install writes outside its own directory: what uninstall removes again. */
export const UNITS = ["bangerd.socket", "bangerd.service", "bangerd-root.socket", "bangerd-root.service", "banger-vm@.service"] as const

export const UNIT_DIRECTORY = "/etc/systemd/system"
export const LIBRARY = "/usr/local/lib/banger"
export const COMMAND = "/usr/local/bin/banger"

/** A unit's template with this install's paths in it. */
export const rendered = (template: string, record: InstallRecord): string =>
  template
    .replaceAll("@OWNER@", record.owner.name)
    .replaceAll("@INSTALL@", record.directory)
    .replaceAll("@JAILER@", record.jailer)
    .replaceAll("@FIRECRACKER@", record.firecracker)

export const TMPFILES = "/etc/tmpfiles.d/banger.conf"
export const SYSCTL = "/etc/sysctl.d/60-banger.conf"
export const MODULES = "/etc/modules-load.d/banger.conf"
export const UDEV = "/etc/udev/rules.d/10-banger.rules"

export const SETTINGS: Readonly<Record<string, string>> = {
  [TMPFILES]: `d /run/banger-vm 0711 root root
d /run/banger-exit 0755 root root
f /run/xtables.lock 0600 root root
`,
  [SYSCTL]: `# VMs reach the world through the host.
net.ipv4.ip_forward = 1
`,
  [MODULES]: `loop
dm_snapshot
tun
`,
  // blkid, LVM and udisks read whatever a guest wrote, as root; and a watch on close reopens the device: random EBUSY.
  [UDEV]: `SUBSYSTEM=="block", KERNEL=="dm-*", ENV{DM_NAME}=="banger-*", ENV{DM_UDEV_DISABLE_DISK_RULES_FLAG}="1", ENV{DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG}="1", ENV{DM_UDEV_DISABLE_OTHER_RULES_FLAG}="1", ENV{UDISKS_IGNORE}="1", OPTIONS+="nowatch"
SUBSYSTEM=="block", KERNEL=="loop*", ATTR{loop/backing_file}=="/var/lib/banger/*", ENV{UDISKS_IGNORE}="1", ENV{SYSTEMD_READY}="0", OPTIONS+="nowatch"
`
}
