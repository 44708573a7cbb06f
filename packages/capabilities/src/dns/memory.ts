import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryHost } from "../memory-host.ts"
import { Dns } from "./contract.ts"

export const layer = Layer.effect(Dns, Effect.map(MemoryHost, ({ objects }) => {
  const names = new Map<string, string>()
  const withdraw = (vm: string) => void objects.delete(`dns ${names.get(vm)}`)
  return {
    publish: ({ name, vm }) =>
      Effect.sync(() => {
        withdraw(vm)
        names.set(vm, name)
        objects.add(`dns ${name}`)
      }),
    withdraw: (vm) => Effect.sync(() => withdraw(vm)),
    complete: Effect.sync(() => void objects.add("dns complete")),
    close: Effect.sync(() => void objects.delete("dns complete")),
    status: Effect.succeed({ bound: ["memory"], failed: [], held: true })
  }
}))
