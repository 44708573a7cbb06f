import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Slot } from "@banger/domain/ids.ts"
import { OpFailed } from "../op-failed.ts"
import { changesSlot, looks, OpKind } from "../op-kind.ts"

export const NatFacts = Schema.Struct({
  nft: Schema.NullOr(Schema.String),
  iptables: Schema.NullOr(Schema.String),
  forwarding: Schema.Boolean,
  /** The nft table that closes the host and the LAN to guests. */
  table: Schema.Boolean,
  /** iptables lets pass what that table let through. */
  accepted: Schema.Boolean,
  /** firewalld runs, and does not trust the bridge. */
  firewalld: Schema.Boolean
})

/** All are safe to repeat. */
export class NatOps extends RpcGroup.make(
  /** Lets the slot's address out, or not; either way the rules that close the host and the LAN to guests stand afterwards. */
  Rpc.make("Ensure", { payload: { slot: Slot, enabled: Schema.Boolean }, error: OpFailed }).annotate(OpKind, changesSlot),
  Rpc.make("Remove", { payload: { slot: Slot }, error: OpFailed }).annotate(OpKind, changesSlot),
  Rpc.make("Facts", { success: NatFacts }).annotate(OpKind, looks)
).prefix("nat.") {}
