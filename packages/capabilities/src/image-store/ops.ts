import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Digest, StagingId, VmId } from "@banger/domain/ids.ts"
import { DiskMib } from "@banger/domain/vm.ts"
import { OpFailed } from "../op-failed.ts"
import { changesDigestLong, changesStagingLong, changesVmLong, looks, OpKind } from "../op-kind.ts"

/** A file of the store. */
export const Stored = Schema.Struct({ digest: Digest, bytes: Schema.Number })
export type Stored = typeof Stored.Type

/** A file on root's disk: in the store, or made once for all VMs. Bytes as programs see them, and as they are on the disk. */
export const StoreFact = Schema.Struct({
  area: Schema.Literal("store", "seeds", "initrds"),
  name: Schema.String,
  apparentBytes: Schema.Number,
  allocatedBytes: Schema.Number
})
export type StoreFact = typeof StoreFact.Type

/** All are safe to repeat, but Ingest: it consumes the staged file. */
export class ImageStoreOps extends RpcGroup.make(
  Rpc.make("Ingest", {
    payload: { staging: StagingId },
    success: Stored,
    error: OpFailed
  }).annotate(OpKind, changesStagingLong),
  /** A file of the store again, at least so long: a root file system with room to grow, which the guest program does. */
  Rpc.make("Extend", { payload: { digest: Digest, sizeMib: DiskMib }, success: Stored, error: OpFailed }).annotate(OpKind, changesDigestLong),
  /** The disks of a VM that does not run, as files of the store; `image` is the root file system it was made of. */
  Rpc.make("Seal", { payload: { vm: VmId, image: Digest }, success: Schema.Struct({ rootfs: Stored, seed: Stored }), error: OpFailed }).annotate(OpKind, changesVmLong),
  Rpc.make("Remove", { payload: { digest: Digest }, error: OpFailed }).annotate(OpKind, changesDigestLong),
  /** Every file that images, kernels and VMs share: those of the store, and what is made once for all VMs. */
  Rpc.make("Facts", {
    success: Schema.Array(StoreFact),
    error: OpFailed
  }).annotate(OpKind, looks),
  Rpc.make("List", { success: Schema.Array(Digest), error: OpFailed }).annotate(OpKind, looks)
).prefix("store.") {}
