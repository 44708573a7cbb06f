import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Digest, VmId } from "@banger/domain/ids.ts"
import { HostConfig } from "@banger/domain/host-config.ts"
import { OpFailed } from "./op-failed.ts"
import { looks, OpKind } from "./op-kind.ts"

/** Version of the RPC between daemon and helper. Both come from one install, so only a half-done upgrade can differ. */
export const PROTOCOL = 3

/** What should stand on the host: `estates` of all VMs, the objects that runs have, each as `leaks` names it, and files of the store. */
export const Known = Schema.Struct({
  estates: Schema.Array(VmId),
  running: Schema.Array(VmId),
  objects: Schema.Array(Schema.String.pipe(Schema.maxLength(200))),
  stored: Schema.Array(Digest)
})
export type Known = typeof Known.Type

/** The helper as a whole, rather than one capability of it. */
export class HostOps extends RpcGroup.make(
  /** First call of a daemon; refuses another protocol version. */
  Rpc.make("Hello", {
    payload: { protocol: Schema.Int },
    /** `host`: /etc/banger/host.toml as the helper has read it when it started: what root goes by. */
    success: Schema.Struct({ version: Schema.String, host: HostConfig }),
    error: OpFailed
  }).annotate(OpKind, looks),
  /** Every host object that carries banger's names and is not accounted for by `known`. */
  Rpc.make("Leaks", { payload: { known: Known }, success: Schema.Array(Schema.String), error: OpFailed }).annotate(OpKind, looks)
).prefix("helper.") {}
