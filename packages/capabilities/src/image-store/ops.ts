import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"
import { Digest, StagingId } from "@banger/domain/ids.ts"
import { OpFailed } from "../op-failed.ts"

/** All are safe to repeat, but Ingest: it consumes the staged file. */
export class ImageStoreOps extends RpcGroup.make(
  Rpc.make("Ingest", {
    payload: { staging: StagingId },
    success: Schema.Struct({ digest: Digest, bytes: Schema.Number }),
    error: OpFailed
  }),
  Rpc.make("Remove", { payload: { digest: Digest }, error: OpFailed }),
  Rpc.make("List", { success: Schema.Array(Digest), error: OpFailed })
).prefix("store.") {}
