import * as Effect from "effect/Effect"
import { MemoryHost } from "../memory-host.ts"
import { WorkDiskOps } from "./ops.ts"

export const handlers = WorkDiskOps.toLayer(Effect.map(MemoryHost, (host) => WorkDiskOps.of({
  "work.Find": ({ vm }) => host.has(`estate work ${vm}`),
  "work.Ensure": ({ vm }) => host.add(`estate work ${vm}`),
  "work.Remove": ({ vm }) => host.delete(`estate work ${vm}`),
  "work.DropSeeds": () => Effect.void,
  "work.Facts": () => Effect.succeed({ freeBytes: 2 ** 40, reserveBytes: 2 ** 31 })
})))
