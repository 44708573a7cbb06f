import type { Digest, ImageName, StagingId, VmId } from "@banger/domain/ids.ts"

/**
 * Where things are on a host (docs/architecture.md). Everything below `root/` belongs to root, and its names follow
 * from ids alone; the daemon never makes up a path that root uses.
 */
export const STATE = "/var/lib/banger"
export const ROOT_STATE = `${STATE}/root`
export const DAEMON_STATE = `${STATE}/daemon`

/** Files of images and kernels, each named by its sha256. */
export const STORE = `${ROOT_STATE}/store`
export const stored = (digest: Digest) => `${STORE}/${digest}`

export const CACHE = "/var/cache/banger"
/** Where the owner puts files for the image store. */
export const STAGING = `${CACHE}/staging`
export const staged = (id: StagingId) => `${STAGING}/${id}`

/** Layers of container images as they came from their registries, each named by its sha256; the owner's. */
export const LAYERS = `${CACHE}/layers`

/** Empty work disks by size in MiB, and initrds by kernel and version: made once, copied or linked from then on. */
export const SEEDS = `${ROOT_STATE}/seeds`
export const seedOf = (diskMib: number) => `${SEEDS}/blank-${diskMib}.ext4`
export const INITRDS = `${ROOT_STATE}/initrds`

export const estate = (vm: VmId) => `${ROOT_STATE}/vms/${vm}`
export const cowFile = (vm: VmId) => `${estate(vm)}/cow`
export const workFile = (vm: VmId) => `${estate(vm)}/work`
/** The serial console. Owned by the owner, who may read and shorten it. */
export const consoleLog = (vm: VmId) => `${estate(vm)}/console.log`
/** VM_UID. */
export const unitEnvironment = (vm: VmId) => `${estate(vm)}/unit.env`

export const JAILS = `${ROOT_STATE}/jail`
/** The jailer names a jail after the executable's file name and the id. */
export const jail = (vm: VmId) => `${JAILS}/firecracker/${vm}`
export const jailRoot = (vm: VmId) => `${jail(vm)}/root`

/** Parent root:root 0711, so that neither the owner nor a VM can exchange a VM's directory. */
export const RUN_VMS = "/run/banger-vm"
/** A VM's sockets: entered by the owner and the VM's uid only. The VM can write here: nothing in it is trusted. */
export const runDir = (vm: VmId) => `${RUN_VMS}/${vm}`
export const apiSocket = (vm: VmId) => `${runDir(vm)}/a.sock`
export const vsockSocket = (vm: VmId) => `${runDir(vm)}/v.sock`
export const firecrackerLog = (vm: VmId) => `${runDir(vm)}/firecracker.log`

/** How each VM's unit ended, written by systemd: readable by all, writable by root. */
export const EXITS = "/run/banger-exit"
export const exitFile = (vm: VmId) => `${EXITS}/${vm}`

export const unit = (vm: VmId) => `banger-vm@${vm}.service`
/** Where systemd looks for units until the next boot. */
export const RUN_UNITS = "/run/systemd/system"
/** What the unit has of its VM beside unit.env: limits, which take no variables. */
export const dropIn = (vm: VmId) => `${RUN_UNITS}/${unit(vm)}.d`
/** cgroup v2 directory of the unit (packaging/units: Slice=banger.slice). */
export const cgroup = (vm: VmId) => `/sys/fs/cgroup/banger.slice/${unit(vm)}`

export const dmName = (vm: VmId) => `banger-${vm}`
/** The owner's files of a VM: record, host keys. */
export const vmFiles = (vm: VmId) => `${DAEMON_STATE}/vms/${vm}`
/** The output of an image's last build. */
export const buildLog = (image: ImageName) => `${DAEMON_STATE}/builds/${image}.log`
/** Firecracker's log of the last run that ended. */
export const keptFirecrackerLog = (vm: VmId) => `${vmFiles(vm)}/firecracker.log`

export const DAEMON_SOCKET = "/run/banger/bangerd.sock"
export const HELPER_SOCKET = "/run/banger-root/bangerd-root.sock"
