import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import * as Effect from "effect/Effect"
import { Pool } from "./pool.ts"
import { daemonOn, reserve } from "./testing.ts"

/** The pool of two on a host that has these objects, filled once. */
const filled = (objects: Set<string>) =>
  Effect.gen(function*() {
    const state = yield* temporary
    yield* Effect.provide(Effect.gen(function*() {
      yield* reserve("one")
      fs.writeFileSync(`${state}/config.toml`, "tap_pool_size = 2\n")
      yield* (yield* Pool).refill
    }), daemonOn(state, objects))
    return [...objects].filter((object) => object.startsWith("tap ")).toSorted()
  })

describe("pool", () => {
  it.scoped("holds the TAPs of the next slots, and gives back those of others", () => Effect.gen(function*() {
    assert.deepStrictEqual(yield* filled(new Set(["tap bng9"])), ["tap bng3", "tap bng4"])
  }))

  it.scoped("links that have only the name of a TAP, of a slot or of none, keep it from nothing", () => Effect.gen(function*() {
    const objects = new Set(["tap bng0", "tap bng1", "tap bng70000", "link bng0", "link bng3"])
    assert.deepStrictEqual(yield* filled(objects), ["tap bng0", "tap bng1", "tap bng3", "tap bng4", "tap bng70000"].filter((name) => objects.has(name)))
    assert.isTrue(objects.has("tap bng4"))
  }))
})
