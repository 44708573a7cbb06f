import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Slot } from "@banger/domain/ids.ts"
import { Feature } from "../kernel-feature.ts"
import { OpFailed } from "../op-failed.ts"
import { changesEverything, changesSlot, looks, OpKind } from "../op-kind.ts"

export const TapFacts = Schema.Struct({
  tun: Feature,
  ip: Schema.NullOr(Schema.String),
  bridge: Schema.Boolean,
  antiSpoofing: Schema.Boolean,
  /** The bridge's own, with its prefix. */
  address: Schema.String,
  /** Those that it has. */
  addresses: Schema.Array(Schema.String),
  /** Who else uses the network, and what to do about it. */
  clash: Schema.NullOr(Schema.Struct({ problem: Schema.String, fix: Schema.String })),
  /** TAPs that are not on the bridge as they must be. */
  astray: Schema.Array(Schema.String),
  /** Links with the name of a TAP that are not banger's. */
  strangers: Schema.Array(Schema.String)
})

/** All are safe to repeat. The slot alone decides the TAP's name, MAC, address and owner. */
export class TapOps extends RpcGroup.make(
  /** Whether the slot's TAP exists; one that does is put right: on the bridge, up, guarded against spoofing. */
  Rpc.make("Find", { payload: { slot: Slot }, success: Schema.Boolean, error: OpFailed }).annotate(OpKind, changesSlot),
  Rpc.make("Ensure", { payload: { slot: Slot }, error: OpFailed }).annotate(OpKind, changesSlot),
  Rpc.make("Remove", { payload: { slot: Slot }, error: OpFailed }).annotate(OpKind, changesSlot),
  /** Makes the TAPs of slots that VMs are about to take: the warm pool. At most 64. */
  Rpc.make("Warm", { payload: { slots: Schema.Array(Slot).pipe(Schema.maxItems(64)) }, error: OpFailed }).annotate(OpKind, changesEverything),
  /** The slots whose TAP there is, in use or not, and links that have only the name of one: somebody else's. */
  Rpc.make("List", { success: Schema.Struct({ slots: Schema.Array(Slot), strangers: Schema.Array(Schema.String) }), error: OpFailed }).annotate(OpKind, looks),
  Rpc.make("Facts", { success: TapFacts, error: OpFailed }).annotate(OpKind, looks)
).prefix("tap.") {}
