import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeKeyedLock } from "./keyed-lock.ts"

describe("keyed lock", () => {
  it.effect("one at a time for a key, all at once for different ones", () => Effect.gen(function*() {
    const locked = makeKeyedLock()
    let inside = 0
    let most = 0
    const work = Effect.gen(function*() {
      most = Math.max(most, ++inside)
      yield* Effect.yieldNow()
      inside--
    })
    yield* Effect.all([locked("a")(work), locked("a")(work), locked("a")(work)], { concurrency: "unbounded" })
    assert.strictEqual(most, 1)
    yield* Effect.all([locked("a")(work), locked("b")(work)], { concurrency: "unbounded" })
    assert.strictEqual(most, 2)
  }))

  it.effect("is free again after a failure and an interruption", () => Effect.gen(function*() {
    const locked = makeKeyedLock()
    yield* Effect.exit(locked("a")(Effect.fail("no")))
    yield* Effect.exit(locked("a")(Effect.interrupt))
    assert.strictEqual(yield* locked("a")(Effect.succeed(1)), 1)
  }))
})
