import * as Effect from "effect/Effect"
import { Slot } from "@banger/domain/ids.ts"
import { tapName } from "@banger/domain/network.ts"
import { MemoryHost } from "../memory-host.ts"
import { TapOps } from "./ops.ts"

export const handlers = TapOps.toLayer(Effect.map(MemoryHost, (host) => TapOps.of({
  "tap.Find": ({ slot }) => host.has(`tap ${tapName(slot)}`),
  "tap.Ensure": ({ slot }) => host.add(`tap ${tapName(slot)}`),
  "tap.Remove": ({ slot }) => host.delete(`tap ${tapName(slot)}`),
  "tap.Warm": ({ slots }) => Effect.forEach(slots, (slot) => host.add(`tap ${tapName(slot)}`), { discard: true }),
  "tap.List": () => Effect.sync(() => [...host.objects].flatMap((object) => /^tap bng(\d+)$/.exec(object)?.[1] ?? []).map((slot) => Slot.make(Number(slot)))),
  "tap.Facts": () => Effect.succeed({ tun: true, ip: "ip", bridge: true, antiSpoofing: true })
})))
