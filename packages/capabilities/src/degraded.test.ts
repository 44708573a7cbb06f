import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { Degraded, degraded, dispensable, judge, restored } from "./degraded.ts"

describe("degraded", () => {
  it.effect("doctor says what does not work, why, and what mends it, until it works again", () => Effect.gen(function*() {
    const all = yield* Degraded
    const writing = dispensable("known_hosts")
    yield* writing(Effect.fail({ _tag: "FileFailed", message: "the host's disk is full", hint: "banger prune" }))
    yield* degraded("name servers", { problem: "permission denied", fix: "chmod" })
    assert.deepInclude(judge(all), { problem: "known_hosts: the host's disk is full; name servers: permission denied", fix: "banger prune; chmod" })
    yield* writing(Effect.void)
    yield* restored("name servers")
    assert.strictEqual(judge(all)._tag, "Ready")
  }).pipe(Effect.provideService(Degraded, new Map())))

  it.effect("the same trouble is logged once, and again when it comes back", () => {
    const lines: Array<unknown> = []
    const trouble = degraded("pool", { problem: "away", fix: "wait" })
    return Effect.gen(function*() {
      yield* trouble
      yield* trouble
      assert.strictEqual(lines.length, 1)
      yield* restored("pool")
      yield* trouble
      assert.strictEqual(lines.length, 2)
    }).pipe(Effect.provideService(Degraded, new Map()), Effect.provide(Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => lines.push(message)))))
  })
})
