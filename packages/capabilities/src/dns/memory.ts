import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryHost } from "../memory-host.ts"
import { Dns } from "./contract.ts"

export const layer = Layer.effect(Dns, Effect.map(MemoryHost, ({ objects }) => ({
  publish: ({ name }) => Effect.sync(() => void objects.add(`dns ${name}`)),
  withdraw: ({ name }) => Effect.sync(() => void objects.delete(`dns ${name}`)),
  complete: Effect.sync(() => void objects.add("dns complete")),
  close: Effect.sync(() => void objects.delete("dns complete")),
  status: Effect.succeed({ bound: ["memory"], failed: [], held: true })
})))
