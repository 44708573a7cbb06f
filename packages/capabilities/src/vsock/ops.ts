import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { Slot, VmId } from "@banger/domain/ids.ts"
import * as Schema from "effect/Schema"
import { OpFailed } from "../op-failed.ts"
import { changesVm, looks, OpKind } from "../op-kind.ts"

/** All are safe to repeat. */
export class VsockOps extends RpcGroup.make(
  Rpc.make("Find", { payload: { vm: VmId }, success: Schema.Boolean, error: OpFailed }).annotate(OpKind, looks),
  /** A directory that only the owner and the VM's uid may enter and write. */
  Rpc.make("Ensure", { payload: { vm: VmId, slot: Slot }, error: OpFailed }).annotate(OpKind, changesVm),
  Rpc.make("Remove", { payload: { vm: VmId }, error: OpFailed }).annotate(OpKind, changesVm)
).prefix("vsock.") {}
