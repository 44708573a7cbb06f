import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { about } from "./about.ts"
import { Image, ImageSource, Kernel } from "./catalog.ts"
import { CatalogError, HelperUnreachable, VmError } from "./errors.ts"
import { ImageName, KernelName, StagingId, VmName, VmRef } from "./ids.ts"
import { ImageProgress, Progress } from "./progress.ts"
import { Finding } from "./readiness.ts"
import { ImageReference, KnownFile, Offer } from "./recipe.ts"
import { RunConfig } from "./run-config.ts"
import { Proxy, Session } from "./session.ts"
import { DiskUsage, Usage } from "./storage.ts"
import { DiskMib, KernelRelease, MemoryMib, ProcessId, Vcpu, VmDetail, VmUsage, VmView } from "./vm.ts"

/** What the user asked for; what is absent comes from the configuration. */
export const CreateVm = Schema.Struct({
  name: Schema.optional(VmName),
  image: Schema.optional(ImageName),
  kernel: Schema.optional(KernelName),
  vcpu: Schema.optional(Vcpu),
  memoryMib: Schema.optional(MemoryMib),
  diskMib: Schema.optional(DiskMib),
  nat: Schema.optional(Schema.Boolean),
  autostart: Schema.optional(Schema.Boolean),
  ephemeral: Schema.optional(ProcessId),
  extra: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
})
export type CreateVm = typeof CreateVm.Type

/** What a VM is to be from now on; what is absent stays. */
export const VmChange = Schema.Struct({
  name: Schema.optional(VmName),
  vcpu: Schema.optional(Vcpu),
  memoryMib: Schema.optional(MemoryMib),
  diskMib: Schema.optional(DiskMib),
  nat: Schema.optional(Schema.Boolean),
  autostart: Schema.optional(Schema.Boolean)
})
export type VmChange = typeof VmChange.Type

/** Signals that `vm kill` sends to a VM's Firecracker. */
export const KillSignal = Schema.Literal("KILL", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT")
export type KillSignal = typeof KillSignal.Type

const vm = { vm: VmRef }

/**
 * Operations on VMs. The streaming ones start an operation, or join the same one that is already running, and watch
 * it: they replay what happened so far and end with `Finished`. A watcher may leave; the work goes on.
 */
export class VmApi extends RpcGroup.make(
  Rpc.make("Create", { payload: CreateVm, success: Progress, error: VmError, stream: true }),
  Rpc.make("Start", { payload: vm, success: Progress, error: VmError, stream: true }),
  Rpc.make("Stop", { payload: { ...vm, timeoutMs: Schema.Int }, success: Progress, error: VmError, stream: true }),
  Rpc.make("Restart", { payload: { ...vm, timeoutMs: Schema.Int }, success: Progress, error: VmError, stream: true }),
  Rpc.make("Delete", { payload: { ...vm, force: Schema.Boolean }, success: Progress, error: VmError, stream: true }),
  Rpc.make("Set", { payload: { ...vm, change: VmChange }, success: Progress, error: VmError, stream: true }),
  Rpc.make("Kill", { payload: { ...vm, signal: KillSignal }, error: VmError }),
  Rpc.make("List", { success: Schema.Array(VmView), error: VmError }),
  /** All VMs at once, and all of them again after each change of one; of changes in quick succession the last may stand for all. */
  Rpc.make("Watch", { success: Schema.Array(VmView), error: VmError, stream: true }),
  Rpc.make("Get", { payload: vm, success: VmView, error: VmError }),
  Rpc.make("Show", { payload: vm, success: VmDetail, error: VmError }),
  /** What VMs take of the host, at once and then every so many milliseconds; without names all that run. */
  Rpc.make("Usage", {
    payload: { vms: Schema.Array(VmRef), everyMs: Schema.Int.pipe(Schema.between(100, 3_600_000)) },
    success: Schema.Array(VmUsage), error: VmError, stream: true
  }),
  /** Lines of the daemon's own events about a VM, oldest first; with `withinMs` only those that are no longer ago. */
  Rpc.make("Events", { payload: { ...vm, follow: Schema.Boolean, withinMs: Schema.optional(Schema.Number) }, success: Schema.String, error: VmError, stream: true }),
  /** Held open by the CLI of `vm run --rm`; keeps nothing alive by itself, but its end makes the daemon look at once. */
  Rpc.make("Hold", { payload: vm, success: Schema.Void, error: VmError, stream: true }),
  /** Turns a `--rm` VM into one that stays, after a first connection that timed out. */
  Rpc.make("Keep", { payload: vm, error: VmError })
).prefix("vm.") {}

/** An image of a registry, and the name it gets here. */
export const PullImage = Schema.Struct({
  name: ImageName,
  reference: ImageReference,
  kernel: Schema.optional(KernelName),
  /** The root file system has at least so many MiB. */
  sizeMib: Schema.optional(DiskMib),
  /** HTTP, and certificates that nobody vouches for, are allowed. */
  insecure: Schema.Boolean,
  session: Schema.optional(Session)
})
export type PullImage = typeof PullImage.Type

/** A container image of the user's files, put into staging. */
export const ImportImage = Schema.Struct({
  name: ImageName,
  kernel: Schema.optional(KernelName),
  sizeMib: Schema.optional(DiskMib),
  staging: StagingId,
  /** Where it lay: what messages call it. */
  path: Schema.String
})
export type ImportImage = typeof ImportImage.Type

/** Bytes. A script travels in one request, and to the guest in one frame. */
const MAX_SCRIPT = 512 << 10

/** An image that a script makes of another one, in a VM. */
export const BuildImage = Schema.Struct({
  name: ImageName,
  from: ImageName,
  kernel: Schema.optional(KernelName),
  /** The root file system has at least so many MiB. */
  sizeMib: Schema.optional(DiskMib),
  /** Run as root: by the interpreter that its first line names, else by `sh -e`. */
  script: Schema.String.pipe(Schema.filter((text) => new TextEncoder().encode(text).length <= MAX_SCRIPT || `expected a script of at most ${MAX_SCRIPT} bytes`)),
  /** The builder's work disk, and so the least that a VM of the image needs. */
  diskMib: DiskMib,
  /** Docker's engine is installed before the script runs. */
  docker: Schema.Boolean,
  /** Also when the image that is here was made of just the same. */
  again: Schema.Boolean,
  session: Schema.optional(Session)
})
export type BuildImage = typeof BuildImage.Type

/** Files reach the image store through the staging directory, where the client puts them (capabilities/image-store). */
export class ImageApi extends RpcGroup.make(
  Rpc.make("List", { success: Schema.Array(Image), error: CatalogError }),
  Rpc.make("Show", { payload: { name: ImageName }, success: Image, error: CatalogError }),
  Rpc.make("Register", {
    payload: {
      name: ImageName,
      rootfs: StagingId,
      workSeed: Schema.optional(StagingId),
      kernel: Schema.optional(KernelName),
      run: Schema.optional(RunConfig),
      source: Schema.optional(ImageSource)
    },
    success: Image,
    error: CatalogError
  }),
  /**
   * Makes an image of a container image of a registry. The same one again joins what is under way, and does nothing when its
   * digest is the one that is here.
   */
  Rpc.make("Pull", { payload: PullImage, success: ImageProgress, error: CatalogError, stream: true }),
  /** The same of a container image in a file or directory. */
  Rpc.make("Import", { payload: ImportImage, success: ImageProgress, error: CatalogError, stream: true }),
  /** Runs a script in a fresh VM and keeps its disks as an image. A build that fails leaves its log and nothing else. */
  Rpc.make("Build", { payload: BuildImage, success: ImageProgress, error: CatalogError, stream: true }),
  /** Makes an image of the catalog. `update` asks the registry again what a recipe's tag stands for. */
  Rpc.make("Get", { payload: { name: ImageName, update: Schema.Boolean, session: Schema.optional(Session) }, success: ImageProgress, error: CatalogError, stream: true }),
  /** What is fetched from registries for a reference, or for a name of the catalogs: whoever asks for it then may know a login. */
  Rpc.make("Origin", {
    payload: { name: Schema.optional(ImageName), reference: Schema.optional(ImageReference), session: Schema.optional(Session) },
    success: Schema.Struct({
      /** None where the name is that of a bundle, or of nothing. */
      reference: Schema.NullOr(ImageReference),
      /** Hosts that are asked first, by registry. */
      mirrors: Schema.Record({ key: Schema.String, value: Schema.String })
    }),
    error: CatalogError
  }),
  /** Ends the making of an image, unless somebody else watches it, too. Tells whether it did. */
  Rpc.make("Cancel", { payload: { name: ImageName }, success: Schema.Boolean }),
  Rpc.make("Delete", { payload: { name: ImageName }, error: CatalogError })
).prefix("image.") {}

export class KernelApi extends RpcGroup.make(
  Rpc.make("List", { success: Schema.Array(Kernel), error: CatalogError }),
  Rpc.make("Import", {
    payload: { name: KernelName, release: KernelRelease, vmlinux: StagingId, initrd: StagingId, modules: StagingId },
    success: Kernel,
    error: CatalogError
  }),
  /** The packages that the catalogs know a kernel by; it need not be here. */
  Rpc.make("Packages", {
    payload: { name: KernelName, session: Schema.optional(Session) },
    success: Schema.Struct({ packages: Schema.Array(KnownFile), proxy: Proxy }),
    error: CatalogError
  }),
  Rpc.make("Delete", { payload: { name: KernelName }, error: CatalogError })
).prefix("kernel.") {}

export const DaemonStatus = Schema.Struct({
  pid: Schema.Int,
  version: Schema.String.pipe(about("of the daemon")),
  helper: Schema.NullOr(Schema.String.pipe(about("version of the root helper; null: it does not answer"))),
  socket: Schema.String.pipe(about("path")),
  dns: Schema.String.pipe(about("where it answers")),
  log: Schema.String.pipe(about("command that shows its log")),
  running: Schema.Int.pipe(about("number of VMs that run")),
  vms: Schema.Int.pipe(about("number of all VMs"))
})
export type DaemonStatus = typeof DaemonStatus.Type

export class HostApi extends RpcGroup.make(
  Rpc.make("Status", { success: DaemonStatus }),
  Rpc.make("Doctor", { success: Schema.Array(Finding) }),
  /** What of banger lies on the disk. */
  Rpc.make("DiskUsage", { success: DiskUsage, error: CatalogError }),
  /** Removes what nothing uses; tells what that was, or with `dryRun` what it would be. */
  Rpc.make("Prune", { payload: { dryRun: Schema.Boolean }, success: Schema.Array(Usage), error: CatalogError }),
  /** Every name in the catalogs. `session` says how the user reaches the world. */
  Rpc.make("Catalog", { payload: { session: Schema.optional(Session) }, success: Schema.Array(Offer), error: CatalogError }),
  /** Every host object that carries banger's names and belongs to no VM that should have it. */
  Rpc.make("Leaks", { success: Schema.Array(Schema.String), error: HelperUnreachable })
).prefix("host.") {}

/** What bangerd serves on its socket. */
export class DaemonApi extends VmApi.merge(ImageApi, KernelApi, HostApi) {}
