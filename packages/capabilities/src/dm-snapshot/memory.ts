import * as Effect from "effect/Effect"
import { VmId } from "@banger/domain/ids.ts"
import { dmName } from "../paths.ts"
import { MemoryHost } from "../memory-host.ts"
import { DmOps } from "./ops.ts"

export const handlers = DmOps.toLayer(Effect.map(MemoryHost, (host) => DmOps.of({
  "dm.Find": ({ vm }) => host.has(`dm ${dmName(vm)}`),
  "dm.Ensure": ({ vm }) => host.add(`dm ${dmName(vm)}`),
  "dm.Remove": ({ vm }) => host.delete(`dm ${dmName(vm)}`),
  "dm.EnsureCow": ({ vm }) => host.add(`estate cow ${vm}`),
  "dm.RemoveCow": ({ vm }) => host.delete(`estate cow ${vm}`),
  "dm.Flush": () => Effect.sync(() => [...host.objects].filter((object) => object.startsWith("lost ")).map((object) => VmId.make(object.slice(5)))),
  "dm.Facts": () => Effect.succeed({ dmsetup: "dmsetup", losetup: "losetup", control: "there" as const, snapshot: "there" as const, loopControl: "there" as const, lost: [] })
})))
