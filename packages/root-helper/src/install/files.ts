import { type HostConfig, hostValues } from "@banger/domain/host-config.ts"
import { dnsLinkAddress, gateway } from "@banger/domain/network.ts"
import { type InstallRecord, programs } from "../settings.ts"

/** That of each VM: it names Firecracker. */
export const VM_UNIT = "banger-vm@.service"

/** Every file that an install writes outside its own directory: what uninstall removes again. */
export const UNITS = ["bangerd.socket", "bangerd.service", "bangerd-root.socket", "bangerd-root.service", VM_UNIT] as const

export const UNIT_DIRECTORY = "/etc/systemd/system"
export const LIBRARY = "/usr/local/lib/banger"
/** A link to the install that counts. What runs banger's programs names them by it. */
export const CURRENT = `${LIBRARY}/current`
export const COMMAND = "/usr/local/bin/banger"

/** A unit's template with this install's paths in it, and what host.toml says. */
export const rendered = (template: string, record: InstallRecord, host: HostConfig): string => {
  const { cidr } = hostValues(host)
  const { firecracker, jailer } = programs(host, record.firecracker)
  return template
    .replaceAll("@OWNER@", record.owner.name)
    .replaceAll("@INSTALL@", record.directory)
    .replaceAll("@JAILER@", jailer)
    .replaceAll("@FIRECRACKER@", firecracker)
    .replaceAll("@GATEWAY@", gateway(cidr))
    .replaceAll("@DNS_LINK@", dnsLinkAddress(cidr))
}

export const TMPFILES = "/etc/tmpfiles.d/banger.conf"
export const SYSCTL = "/etc/sysctl.d/60-banger.conf"
export const MODULES = "/etc/modules-load.d/banger.conf"
/** Before every rule that looks into a device: 13-dm-disk (Fedora), 60-persistent-storage-dm (Debian). */
export const UDEV = "/etc/udev/rules.d/12-banger.rules"

/** Before the distribution's and the user's own by name: of several that match an interface networkd takes the first. */
export const NETWORKD = "/etc/systemd/network/00-banger.network"
/** After those of others: `+=` then adds to whatever the user leaves unmanaged. */
export const NETWORK_MANAGER = "/etc/NetworkManager/conf.d/99-banger.conf"

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
  // A file of the user's that takes every interface would ask DHCP on these, and take their addresses.
  [NETWORKD]: `[Match]
Name=br-banger banger-dns bng*

[Link]
Unmanaged=yes
`,
  [NETWORK_MANAGER]: `[keyfile]
unmanaged-devices+=interface-name:br-banger;interface-name:banger-dns;interface-name:bng*
`,
  // udev would have blkid, LVM and udisks read, as root, whatever a guest wrote, and name links in /dev/disk after it; and its
  // watch on close opens the device again: random EBUSY, and links that come back after the device is gone. `:=` is the
  // last word: later rules of the distribution set the watch again.
  [UDEV]: `SUBSYSTEM!="block", GOTO="banger_end"
ATTR{dm/name}=="banger-*", ENV{DM_UDEV_DISABLE_DISK_RULES_FLAG}="1", ENV{DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG}="1", ENV{DM_UDEV_DISABLE_OTHER_RULES_FLAG}="1", ENV{UDISKS_IGNORE}="1", OPTIONS:="nowatch"
ATTR{loop/backing_file}=="/var/lib/banger/*", ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}="1", ENV{UDISKS_IGNORE}="1", ENV{SYSTEMD_READY}="0", OPTIONS:="nowatch"
LABEL="banger_end"
`
}
