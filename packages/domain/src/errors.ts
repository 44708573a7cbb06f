import * as Schema from "effect/Schema"
import { BadConfig } from "./config-file.ts"
import { meant } from "./nearest.ts"
import type { Failure } from "./failure.ts"
import { ImageName, KernelName, VmName, VmRef } from "./ids.ts"
import { VmState } from "./vm.ts"

/**
 * The errors that reach a user. `message` says what failed and why, in one line; `hint` names the command that
 * mends it. Exit codes follow from the tag (packages/cli/src/failure/exit.ts).
 */
/** Names that may have been meant. */
const near = Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] })

export class VmNotFound extends Schema.TaggedError<VmNotFound>()("VmNotFound", { ref: VmRef, near }) {
  override get message() {
    return `there is no VM ${this.ref}`
  }
  get hint() {
    return meant(this.near, "banger vm list --all shows what there is")
  }
}

export class VmAmbiguous extends Schema.TaggedError<VmAmbiguous>()("VmAmbiguous", {
  ref: VmRef,
  matches: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.ref} is the beginning of ${this.matches.length} VMs: ${this.matches.join(", ")}`
  }
  get hint() {
    return "give a name, or more digits of the id"
  }
}

export class NameTaken extends Schema.TaggedError<NameTaken>()("NameTaken", { name: VmName }) {
  override get message() {
    return `a VM named ${this.name} exists`
  }
  get hint() {
    return `banger vm exec ${this.name} -- CMD runs a command in it; banger vm workspace prepare ${this.name} PATH sends it a repository; banger vm delete ${this.name} removes it`
  }
}

/** Another operation on the same VM is under way. */
export class VmBusy extends Schema.TaggedError<VmBusy>()("VmBusy", { name: Schema.String, doing: Schema.String }) {
  override get message() {
    return `${this.name} is busy: being ${this.doing}`
  }
  get hint() {
    return "try again when that is done"
  }
}

/** What a paused VM waits for. `reason` is its record's. */
export const pausedFix = (reason: string) => `${reason}; banger df shows what takes room, banger prune frees some`

export class WrongState extends Schema.TaggedError<WrongState>()("WrongState", {
  name: VmName,
  state: VmState,
  wanted: Schema.String,
  fix: Schema.String
}) {
  override get message() {
    return `${this.name} is ${this.state}, not ${this.wanted}`
  }
  get hint() {
    return this.fix
  }
}

export class ImageNotFound extends Schema.TaggedError<ImageNotFound>()("ImageNotFound", { name: ImageName, near }) {
  override get message() {
    return `there is no image ${this.name}`
  }
  get hint() {
    return meant(this.near, `banger image list shows what there is; banger image pull oci://REFERENCE --name ${this.name} makes one of a container image`)
  }
}

export class ImageInUse extends Schema.TaggedError<ImageInUse>()("ImageInUse", {
  name: ImageName,
  vms: Schema.Array(Schema.String)
}) {
  override get message() {
    return `image ${this.name} is in use by ${this.vms.join(", ")}`
  }
  get hint() {
    return `banger vm delete ${this.vms.join(" ")} first`
  }
}

/** The image is being made by another request. */
export class ImageBusy extends Schema.TaggedError<ImageBusy>()("ImageBusy", { name: Schema.String, doing: Schema.String }) {
  override get message() {
    return `${this.name} is busy: being ${this.doing}`
  }
  get hint() {
    return "try again when that is done; the command that makes it watches it again, and Ctrl-C there ends it"
  }
}

export class KernelNotFound extends Schema.TaggedError<KernelNotFound>()("KernelNotFound", { name: KernelName, near }) {
  override get message() {
    return `there is no kernel ${this.name}`
  }
  get hint() {
    return meant(this.near, "banger kernel list shows what there is; banger kernel import adds the host's own")
  }
}

export class KernelInUse extends Schema.TaggedError<KernelInUse>()("KernelInUse", {
  name: KernelName,
  users: Schema.Array(Schema.String)
}) {
  override get message() {
    return `kernel ${this.name} is in use by ${this.users.join(", ")}`
  }
  get hint() {
    return "delete those first"
  }
}

export class NoFreeAddress extends Schema.TaggedError<NoFreeAddress>()("NoFreeAddress", {
  cidr: Schema.String,
  inUse: Schema.Int
}) {
  override get message() {
    return `no free address in ${this.cidr}: ${this.inUse} in use`
  }
  get hint() {
    return "delete a VM (stopped ones hold an address too), or set a wider [network] cidr"
  }
}

/** A file of the user's, or an image of a registry, that cannot become an image or a kernel. */
export class BadSource extends Schema.TaggedError<BadSource>()("BadSource", {
  path: Schema.String,
  problem: Schema.String,
  fix: Schema.String
}) {
  override get message() {
    return `cannot use ${this.path}: ${this.problem}`
  }
  get hint() {
    return this.fix
  }
}

/** One step of an operation on a VM failed. What the operation had made is undone. */
export class StepFailed extends Schema.TaggedError<StepFailed>()("StepFailed", {
  operation: Schema.String,
  problem: Schema.String,
  fix: Schema.String
}) {
  override get message() {
    return `could not ${this.operation}: ${this.problem}`
  }
  get hint() {
    return this.fix
  }
}

/** An operation that ended with an error of one of its parts; `fix` is for an error that names no way out. */
export const stepFailed = (operation: string, fix = "banger doctor says what the host lacks") => ({ hint, message }: Failure): StepFailed =>
  new StepFailed({ operation, problem: message, fix: hint ?? fix })

/** Something of the VM could not be undone; it is recorded and tried again. */
export class Leftovers extends Schema.TaggedError<Leftovers>()("Leftovers", {
  name: VmName,
  items: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.name} is broken: could not undo ${this.items.join("; ")}`
  }
  get hint() {
    return `banger doctor says what stands in the way; the next operation on ${this.name} tries again`
  }
}

export class HelperUnreachable extends Schema.TaggedError<HelperUnreachable>()("HelperUnreachable", {
  problem: Schema.String,
  /** Since when it has answered nobody, milliseconds of the monotonic clock of the process that called it. */
  since: Schema.optional(Schema.Number)
}) {
  override get message() {
    return `the root helper does not answer: ${this.problem}`
  }
  get hint() {
    return "sudo systemctl restart bangerd-root.socket bangerd-root.service; journalctl -u bangerd-root says more"
  }
}

/** A write to the daemon's own state failed: disk full, read-only, corrupt. */
export class StateUnwritable extends Schema.TaggedError<StateUnwritable>()("StateUnwritable", {
  problem: Schema.String
}) {
  override get message() {
    return `cannot write the daemon's state: ${this.problem}`
  }
  get hint() {
    return "df -h /var/lib/banger; banger doctor"
  }
}

export const VmError = Schema.Union(
  VmNotFound,
  VmAmbiguous,
  NameTaken,
  VmBusy,
  WrongState,
  ImageNotFound,
  KernelNotFound,
  NoFreeAddress,
  StepFailed,
  Leftovers,
  HelperUnreachable,
  StateUnwritable,
  BadConfig
)
export type VmError = typeof VmError.Type

export const CatalogError = Schema.Union(
  ImageNotFound,
  ImageInUse,
  ImageBusy,
  KernelNotFound,
  KernelInUse,
  BadSource,
  StepFailed,
  HelperUnreachable,
  StateUnwritable
)
export type CatalogError = typeof CatalogError.Type
