import * as ActivatedSocket from "@banger/capabilities/activated-socket.ts"
import * as DmSnapshot from "@banger/capabilities/dm-snapshot/ops-live.ts"
import * as Firecracker from "@banger/capabilities/firecracker/ops-live.ts"
import { HelperOps } from "@banger/capabilities/helper.ts"
import * as ImageStore from "@banger/capabilities/image-store/ops-live.ts"
import * as Nat from "@banger/capabilities/nat/ops-live.ts"
import * as TapPool from "@banger/capabilities/tap-pool/ops-live.ts"
import * as Vsock from "@banger/capabilities/vsock/ops-live.ts"
import * as WorkDisk from "@banger/capabilities/work-disk/ops-live.ts"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Guarded from "./guarded.ts"
import * as Host from "./host-handlers.ts"
import * as Settings from "./settings.ts"

/** Every operation that runs as root. */
export const handlers = Layer.mergeAll(
  Host.handlers,
  TapPool.handlers,
  Nat.handlers,
  DmSnapshot.handlers,
  WorkDisk.handlers,
  Vsock.handlers,
  Firecracker.handlers,
  ImageStore.handlers
)

/** What all VMs share. A part that fails is logged and shown by doctor; the others still work. */
const prepare = Effect.forEach(
  [TapPool.prepare, Nat.prepare, DmSnapshot.prepare, ImageStore.prepare],
  (part) => Effect.catchAll(part, (error) => Effect.logError(error.message)),
  { discard: true }
)

/** bangerd-root: the helper on its socket, until it is stopped. */
export const serve = Layer.launch(
  RpcServer.layer(HelperOps, { disableFatalDefects: true, spanPrefix: "bangerd-root" }).pipe(
    Layer.provide([handlers, Guarded.layer]),
    Layer.provide(Layer.effectDiscard(prepare)),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide([ActivatedSocket.layer({ activated: true }), RpcSerialization.layerNdjson, Settings.layer])
  )
)
