import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Slot } from "@banger/domain/ids.ts"
import { tapName } from "@banger/domain/network.ts"
import { MemoryHost } from "../memory-host.ts"
import { TapOps } from "./ops.ts"

export const handlers = TapOps.toLayer(Effect.map(MemoryHost, (host) => TapOps.of({
  "tap.Find": ({ slot }) => host.has(`tap ${tapName(slot)}`),
  "tap.Ensure": ({ slot }) => host.add(`tap ${tapName(slot)}`),
  "tap.Remove": ({ slot }) => host.delete(`tap ${tapName(slot)}`),
  "tap.Warm": ({ slots }) => Effect.forEach(slots, (slot) => host.add(`tap ${tapName(slot)}`), { discard: true }),
  "tap.List": () =>
    Effect.sync(() => ({
      slots: [...host.objects].flatMap((object) => /^tap bng(\d+)$/.exec(object)?.[1] ?? []).map(Number).filter(Schema.is(Slot)),
      strangers: [...host.objects].flatMap((object) => /^link (.*)$/.exec(object)?.[1] ?? [])
    })),
  "tap.Facts": () => Effect.succeed({ tun: "there" as const, ip: "ip", bridge: true, antiSpoofing: true, address: "172.16.0.1/24", addresses: ["172.16.0.1/24"], clash: null, astray: [], strangers: [] })
})))
