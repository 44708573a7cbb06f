import * as Effect from "effect/Effect"
import { MemoryHost } from "../memory-host.ts"
import { runDir } from "../paths.ts"
import { VsockOps } from "./ops.ts"

export const handlers = VsockOps.toLayer(Effect.map(MemoryHost, (host) => VsockOps.of({
  "vsock.Find": ({ vm }) => host.has(`sockets ${runDir(vm)}`),
  "vsock.Ensure": ({ vm }) => host.add(`sockets ${runDir(vm)}`),
  "vsock.Remove": ({ vm }) => host.delete(`sockets ${runDir(vm)}`)
})))
