import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Digest, Slot, VmId } from "@banger/domain/ids.ts"
import { DiskMib } from "@banger/domain/vm.ts"
import { OpFailed } from "../op-failed.ts"
import { changesEverythingLong, changesVmLong, looks, OpKind } from "../op-kind.ts"

export const WorkDiskFacts = Schema.Struct({
  /** Free bytes where the disks lie. */
  freeBytes: Schema.Number,
  /** What of them is kept in reserve. */
  reserveBytes: Schema.Number
})

const vm = { vm: VmId }

/** All are safe to repeat. The work disk is estate: no operation here belongs to a lease. */
export class WorkDiskOps extends RpcGroup.make(
  Rpc.make("Find", { payload: vm, success: Schema.Boolean, error: OpFailed }).annotate(OpKind, looks),
  /** A sparse copy of the seed (of an empty file system where there is none), `diskMib` long. An existing disk is left as it is. */
  Rpc.make("Ensure", { payload: { ...vm, slot: Slot, diskMib: DiskMib, seed: Schema.NullOr(Digest) }, error: OpFailed }).annotate(OpKind, changesVmLong),
  Rpc.make("Remove", { payload: vm, error: OpFailed }).annotate(OpKind, changesVmLong),
  /** Removes the empty file systems that disks are copied from, but for those of these sizes; each is made again when it is wanted. */
  Rpc.make("DropSeeds", { payload: { keep: Schema.Array(DiskMib) }, error: OpFailed }).annotate(OpKind, changesEverythingLong),
  Rpc.make("Facts", { success: WorkDiskFacts, error: OpFailed }).annotate(OpKind, looks)
).prefix("work.") {}
