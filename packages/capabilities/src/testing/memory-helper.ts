import * as path from "node:path"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as RpcTest from "@effect/rpc/RpcTest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ActivatedSocket from "../activated-socket.ts"
import * as Clock from "../clock/memory.ts"
import * as DmSnapshot from "../dm-snapshot/memory.ts"
import * as Dns from "../dns/memory.ts"
import * as Firecracker from "../firecracker/memory.ts"
import * as GuestConfig from "../guest-config/memory.ts"
import { Guarded, Helper, HelperOps } from "../helper.ts"
import { HostOps } from "../host-ops.ts"
import * as ImageStore from "../image-store/memory.ts"
import * as Nat from "../nat/memory.ts"
import * as TapPool from "../tap-pool/memory.ts"
import * as Vsock from "../vsock/memory.ts"
import * as WorkDisk from "../work-disk/memory.ts"
import { temporary } from "./temporary.ts"

const host = HostOps.toLayer({
  "helper.Hello": () => Effect.succeed({ version: "memory", host: {} }),
  "helper.Leaks": () => Effect.succeed([])
})

/** The helper's operations on the memory host. */
const handlers = Layer.mergeAll(
  host,
  TapPool.handlers,
  Nat.handlers,
  DmSnapshot.handlers,
  WorkDisk.handlers,
  Vsock.handlers,
  Firecracker.handlers,
  ImageStore.handlers,
  Layer.succeed(Guarded, ({ next }) => next)
)

const inProcess = Helper.from(RpcTest.makeClient(HelperOps)).pipe(Layer.provide(handlers))

const overSocket = Layer.unwrapScoped(Effect.gen(function*() {
  const socket = path.join(yield* temporary, "helper.sock")
  const server = RpcServer.layer(HelperOps, { disableFatalDefects: true }).pipe(
    Layer.provide(handlers),
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide([ActivatedSocket.layer({ path: socket }), RpcSerialization.layerNdjson])
  )
  return Helper.layer(socket).pipe(Layer.provideMerge(server))
}))

/** The helper as the daemon reaches it, over each of its transports. */
export const transports = { "in process": inProcess, "over a unix socket": overSocket }

/** The other services of a host, in memory. */
export const services = Layer.mergeAll(Dns.layer, GuestConfig.layer, Firecracker.services, Clock.layer)
