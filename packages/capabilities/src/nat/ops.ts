import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Slot } from "@banger/domain/ids.ts"
import { OpFailed } from "../op-failed.ts"

export const NatFacts = Schema.Struct({
  iptables: Schema.NullOr(Schema.String),
  forwarding: Schema.Boolean,
  chains: Schema.Boolean,
  /** firewalld runs, and does not trust the bridge. */
  firewalld: Schema.Boolean
})

/** All are safe to repeat; each is one transaction of iptables-restore on banger's own chains. */
export class NatOps extends RpcGroup.make(
  Rpc.make("Find", { payload: { slot: Slot }, success: Schema.Boolean, error: OpFailed }),
  /** Lets the slot's address out, or not; either way the chains that close the host and the LAN to guests stand afterwards. */
  Rpc.make("Ensure", { payload: { slot: Slot, enabled: Schema.Boolean }, error: OpFailed }),
  Rpc.make("Remove", { payload: { slot: Slot }, error: OpFailed }),
  Rpc.make("Facts", { success: NatFacts })
).prefix("nat.") {}
