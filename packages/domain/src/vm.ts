import * as Schema from "effect/Schema"
import { about } from "./about.ts"
import { Instant, Milliseconds } from "./instant.ts"
import { Cidr } from "./network.ts"
import { orNull, RunConfig } from "./run-config.ts"
import { Digest, ImageName, KernelName, Slot, VmId, VmName } from "./ids.ts"

/** Firecracker takes 1 or an even number up to 32. */
export const Vcpu = Schema.Int.pipe(
  Schema.filter((n) => n === 1 || (n > 0 && n <= 32 && n % 2 === 0) || "expected 1 or an even number of vCPUs up to 32")
)

/** MiB. 128 is the least that a Debian guest boots with. */
export const MemoryMib = Schema.Int.pipe(
  Schema.between(128, 1_048_576, { message: () => "expected a memory size from 128 MiB to 1 TiB" })
)

/** MiB of the work disk. */
export const DiskMib = Schema.Int.pipe(
  Schema.between(64, 16_777_216, { message: () => "expected a disk size from 64M to 16T" })
)

export type DiskMib = typeof DiskMib.Type

/** MiB of the work disk where nobody says otherwise. */
export const DEFAULT_DISK_MIB = 8192

/** How long a guest may take to go down before it is killed where nobody says otherwise, in milliseconds. */
export const STOP_TIMEOUT = 10_000

/** What `uname -r` prints. */
export const KernelRelease = Schema.String.pipe(
  Schema.pattern(/^[0-9A-Za-z._+-]{1,64}$/, { message: () => "expected a kernel release such as 6.1.0-40-cloud-amd64" })
)

/** The files of a kernel in the image store, and the release its modules belong to. */
export const KernelFiles = Schema.Struct({
  name: KernelName,
  release: KernelRelease.pipe(about("as uname -r prints it")),
  vmlinux: Digest.pipe(about("sha256")),
  initrd: Digest.pipe(about("sha256 of the cpio with the modules that reach the root file system")),
  modules: Digest.pipe(about("sha256 of the ext4 with the whole module tree"))
})
export type KernelFiles = typeof KernelFiles.Type

export const ImageFiles = Schema.Struct({
  name: ImageName,
  generation: Schema.Int.pipe(about("how often the name was given, from 1")),
  rootfs: Digest.pipe(about("sha256 of the root file system")),
  seed: Schema.NullOr(Digest.pipe(about("sha256 of the ext4 that becomes the work disk; null: an empty one")))
})
export type ImageFiles = typeof ImageFiles.Type

/** Everything that decides what a VM is. Fixed while it runs. */
export class VmSpec extends Schema.Class<VmSpec>("VmSpec")({
  id: VmId,
  name: VmName,
  slot: Slot,
  /** The network the slot counts in; taken from the host's configuration at each start. */
  cidr: Cidr,
  vcpu: Vcpu,
  memoryMib: MemoryMib,
  diskMib: DiskMib,
  nat: Schema.Boolean,
  image: ImageFiles,
  kernel: KernelFiles,
  /** What the image says of how to run things in it. */
  run: orNull(RunConfig),
  /** Options of capabilities, each under its capability's name and own schema. */
  extra: Schema.Record({ key: Schema.String, value: Schema.Unknown })
}) {}

export const VmState = Schema.Literal(
  "creating",
  "stopped",
  "starting",
  "running",
  "paused",
  "stopping",
  "crashed",
  "broken"
)
export type VmState = typeof VmState.Type

/** A process of the host, told apart from a later one with the same pid by its start time (clock ticks since boot). */
export const ProcessId = Schema.Struct({ pid: Schema.Int, startTime: Schema.String })
export type ProcessId = typeof ProcessId.Type

/** The list of the versions that did not write down which capabilities a VM was made with. */
export const FIRST_LIST: ReadonlyArray<string> = ["vsock", "dns", "tap-pool", "dm-snapshot", "work-disk", "nat", "guest-config", "firecracker"]

const capabilities = Schema.optionalWith(Schema.Array(Schema.String), { default: () => FIRST_LIST })

/** What the daemon keeps of a VM, in the database and beside it as vm.json. */
export class VmRecord extends Schema.Class<VmRecord>("VmRecord")({
  spec: VmSpec,
  state: VmState,
  /** Why the state is what it is: `signal 9 (SIGKILL)`, `host rebooted`; empty when there is nothing to say. */
  reason: Schema.String,
  createdAt: Milliseconds,
  startedAt: Schema.NullOr(Milliseconds),
  /** The host's uptime at the last start, in milliseconds: unlike the time of day nobody sets it. */
  startedUptime: orNull(Schema.Number),
  /** The CLI of `vm run --rm`: when that process is gone the VM is deleted. */
  ephemeral: Schema.NullOr(ProcessId),
  /** Whether the VM is started when the host boots. */
  autostart: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  /** The host's boot id when the VM last started, or was last given `autostart`: another one means the host was rebooted since. */
  hostBoot: Schema.String,
  /** Capabilities that may hold something of the VM, written before they do: what stays theirs when the daemon's list changes. */
  made: capabilities,
  /** Capabilities whose part the run that is, or was last, has: what an adoption must find. */
  taken: capabilities
}) {}

/** A VM as clients see it. */
export class VmView extends Schema.Class<VmView>("VmView")({
  id: VmId.pipe(about("16 hex digits, for its whole life")),
  name: VmName.pipe(about("one DNS label")),
  state: VmState,
  reason: Schema.String.pipe(about("why the state is what it is; empty when there is nothing to say")),
  image: ImageName.pipe(about("its name")),
  kernel: KernelName.pipe(about("its name")),
  vcpu: Schema.Int,
  memoryMib: Schema.Int.pipe(about("MiB")),
  diskMib: Schema.Int.pipe(about("MiB, of the work disk")),
  nat: Schema.Boolean.pipe(about("whether it reaches the world")),
  address: Schema.String.pipe(about("IPv4")),
  dns: Schema.String.pipe(about("its name with .vm")),
  createdAt: Instant,
  startedAt: Schema.NullOr(Instant),
  uptimeMs: orNull(Schema.Number.pipe(about("milliseconds"))),
  ephemeral: Schema.Boolean.pipe(about("deleted when its vm run --rm ends")),
  autostart: Schema.Boolean.pipe(about("started when the host boots")),
  run: orNull(RunConfig),
  vsock: Schema.String.pipe(about("path of the unix socket of its vsock device: the way to its agent"))
}) {}

export const FileSize = Schema.Struct({
  file: Schema.String.pipe(about("path")),
  apparentBytes: Schema.Number.pipe(about("bytes as programs see them")),
  allocatedBytes: Schema.Number.pipe(about("bytes on the disk"))
})

export class VmDetail extends Schema.Class<VmDetail>("VmDetail")({
  vm: VmView,
  imageDigest: Digest.pipe(about("sha256 of the root file system")),
  kernelRelease: Schema.String.pipe(about("as uname -r prints it")),
  mac: Schema.String,
  tap: Schema.String.pipe(about("name of the host's link")),
  pid: Schema.NullOr(Schema.Int.pipe(about("Firecracker's"))),
  consoleLog: Schema.String.pipe(about("path")),
  firecrackerLog: Schema.String.pipe(about("path")),
  disks: Schema.Array(FileSize)
}) {}

/** The share of the host that a VM takes, at one moment. Counts begin at the VM's start; those of a VM that does not run are null. */
export class VmUsage extends Schema.Class<VmUsage>("VmUsage")({
  vm: VmView,
  /** When: milliseconds of the daemon's monotonic clock, of use only beside those of another moment. */
  atMs: Schema.Number,
  /** Milliseconds of processor time, on all processors together. */
  cpuMs: Schema.NullOr(Schema.Number),
  /** Bytes that its unit's cgroup is charged for, without files that the kernel would let go first. */
  memoryBytes: Schema.NullOr(Schema.Number),
  /** Bytes that its disks take on the host's. */
  diskBytes: Schema.Number,
  /** Bytes, as the guest counts: sent by it, and received by it. */
  sentBytes: Schema.NullOr(Schema.Number),
  receivedBytes: Schema.NullOr(Schema.Number)
}) {}
