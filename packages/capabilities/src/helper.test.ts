import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { reaching } from "./helper.ts"
import { removing } from "./lease.ts"

/** A helper that took the call and never answers. */
const client = reaching({ helper: { Hello: () => Effect.never }, dm: { Ensure: () => Effect.never }, store: { Ingest: () => Effect.never } })

describe("a helper that does not answer", () => {
  it.effect("is given up in time, by name, but for work whose length depends on bytes", () => Effect.gen(function*() {
    const calls = yield* Effect.forEach([client.helper.Hello(), client.dm.Ensure(), client.store.Ingest()] as ReadonlyArray<Effect.Effect<never, { readonly message: string }>>, (call) => Effect.fork(Effect.flip(call)))
    const ended = Effect.forEach(calls, (call) => Effect.map(Fiber.poll(call), (exit) => exit._tag === "Some"))
    yield* TestClock.adjust("29 seconds")
    assert.deepStrictEqual(yield* ended, [false, false, false])
    yield* TestClock.adjust("2 seconds")
    assert.deepStrictEqual(yield* ended, [true, false, false])
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual(yield* ended, [true, true, false])
    assert.include((yield* Fiber.join(calls[1] ?? assert.fail())).message, "dm.Ensure takes longer than 90 seconds")
    yield* Fiber.interruptAll(calls)
  }))

  it.effect("is waited for once, however many removals come one after the other", () => Effect.gen(function*() {
    let calls = 0
    const away = reaching({ dm: { Remove: () => Effect.suspend(() => Effect.fail(new HelperUnreachable({ problem: `call ${calls += 1}` }))) } })
    const removals = yield* Effect.fork(Effect.forEach(["dm", "tap", "nat", "unit"], (what) => Effect.flip(removing(what, away.dm.Remove()))))
    yield* TestClock.adjust("33 seconds")
    assert.strictEqual((yield* Fiber.join(removals)).length, 4)
    assert.isAbove(calls, 10)
  }))
})
