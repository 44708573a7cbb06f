import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryHost } from "../memory-host.ts"
import { Clocks } from "./contract.ts"

export const layer = Layer.effect(Clocks, Effect.map(MemoryHost, ({ objects }) => ({
  attach: (vm) =>
    Effect.acquireRelease(
      Effect.sync(() => void objects.add(`clock ${vm}`)),
      () => Effect.sync(() => void objects.delete(`clock ${vm}`))
    ),
  follow: () => Effect.void
})))
