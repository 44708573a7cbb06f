import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Digest, VmId } from "@banger/domain/ids.ts"
import { Feature } from "../kernel-feature.ts"
import { OpFailed } from "../op-failed.ts"
import { changesVm, changesVmLong, looks, looksLong, OpKind } from "../op-kind.ts"

export const DmFacts = Schema.Struct({
  dmsetup: Schema.NullOr(Schema.String),
  losetup: Schema.NullOr(Schema.String),
  control: Feature,
  snapshot: Feature,
  loopControl: Feature,
  /** VMs whose root disk is lost. */
  lost: Schema.Array(VmId)
})

const vm = { vm: VmId }

/** All are safe to repeat. */
export class DmOps extends RpcGroup.make(
  Rpc.make("Find", { payload: vm, success: Schema.Boolean, error: OpFailed }).annotate(OpKind, looks),
  Rpc.make("Ensure", { payload: { ...vm, image: Digest }, error: OpFailed }).annotate(OpKind, changesVm),
  /** Returns when the device is gone; its loop devices go with it. */
  Rpc.make("Remove", { payload: vm, error: OpFailed }).annotate(OpKind, changesVmLong),
  /** The sparse COW file: estate. An existing one is left as it is. */
  Rpc.make("EnsureCow", { payload: { ...vm, image: Digest }, error: OpFailed }).annotate(OpKind, changesVm),
  Rpc.make("RemoveCow", { payload: vm, error: OpFailed }).annotate(OpKind, changesVmLong),
  /** Writes out what the host's memory holds of all VMs' root disks; gives the VMs whose disk is lost. */
  Rpc.make("Flush", { success: Schema.Array(VmId), error: OpFailed }).annotate(OpKind, looksLong),
  Rpc.make("Facts", { success: DmFacts }).annotate(OpKind, looks)
).prefix("dm.") {}
