import { dispensable } from "@banger/capabilities/degraded.ts"
import { Helper } from "@banger/capabilities/helper.ts"
import { DEFAULT_POOL_SIZE } from "@banger/domain/config.ts"
import type { Slot } from "@banger/domain/ids.ts"
import { slots, tapName } from "@banger/domain/network.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config } from "./config.ts"
import { HostFacts } from "./host-facts.ts"
import { Registry } from "./vms/registry.ts"

/** TAPs of the slots that the next VMs will take, made ahead. A TAP's owner is fixed when it is made, so the pool is of slots. */
export class Pool extends Context.Tag("@banger/daemon/Pool")<Pool, {
  /** Slots whose TAP may stand although no VM has it. */
  readonly slots: Effect.Effect<ReadonlyArray<Slot>>
  /** Never fails: a start makes its TAP itself where the pool has none. */
  readonly refill: Effect.Effect<void>
}>() {
  static readonly layer = Layer.effect(Pool, Effect.gen(function*() {
    const config = yield* Config
    const facts = yield* HostFacts
    const helper = yield* Helper
    const registry = yield* Registry
    const taken = (slot: Slot) => registry.cells().some(({ record }) => record.spec.slot === slot)
    const pool = Effect.gen(function*() {
      const { cidr } = yield* facts.hello
      const { tap_pool_size } = yield* config.read
      return slots(cidr).filter((slot) => !taken(slot)).slice(0, tap_pool_size ?? DEFAULT_POOL_SIZE)
    })
    let told = ""
    const refill = Effect.gen(function*() {
      const wanted = yield* pool
      const { slots: standing, strangers } = yield* helper.tap.List()
      if (strangers.length > 0 && strangers.join(" ") !== told) yield* Effect.logWarning(`TAP pool: passed over as not banger's: ${strangers.join(" ")}`)
      told = strangers.join(" ")
      if (wanted.some((slot) => !standing.includes(slot) && !strangers.includes(tapName(slot)))) yield* helper.tap.Warm({ slots: wanted })
      // Looked at and asked in one go: a VM that takes the slot after this asks for its TAP after this, too.
      yield* Effect.forEach(standing.filter((slot) => !wanted.includes(slot)), (slot) =>
        Effect.suspend(() => taken(slot) ? Effect.void : helper.tap.Remove({ slot })), { discard: true })
    })
    return {
      slots: Effect.orElseSucceed(pool, () => []),
      refill: dispensable("TAP pool")(refill)
    }
  }))
}
