import { assert, it } from "@effect/vitest"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { VmRef } from "@banger/domain/ids.ts"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { daemonOn, reserve } from "../testing.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Registry } from "./registry.ts"

it.scopedLive("whoever watches is told what there is, and of each VM that comes, changes and goes", () => Effect.gen(function*() {
  const state = yield* temporary
  yield* Effect.gen(function*() {
    const registry = yield* Registry
    const seen = yield* Queue.unbounded<string>()
    const watching = yield* Effect.fork(Stream.runForEach(registry.changes, () => Queue.offer(seen, registry.cells().map(({ record }) => `${record.spec.name} ${record.state}`).join())))
    /** Of changes in quick succession not each is told of, the last one always. */
    const until = (wanted: string) => Queue.take(seen).pipe(Effect.repeat({ until: (found) => found === wanted }), Effect.timeout("10 seconds"))
    yield* until("")
    const cell = yield* reserve("one")
    yield* until("one creating")
    const lifecycle = yield* Lifecycle
    yield* lifecycle.create(cell, () => Effect.void)
    yield* until("one running")
    yield* lifecycle.stop(cell, 0, () => Effect.void)
    yield* until("one stopped")
    yield* lifecycle.remove(cell, false, () => Effect.void)
    yield* until("")
    yield* Fiber.interrupt(watching)
  }).pipe(Effect.provide(daemonOn(state, new Set())))
}))

it.scopedLive("a name that no VM has leads to those that are near it", () => Effect.gen(function*() {
  const state = yield* temporary
  yield* Effect.gen(function*() {
    yield* reserve("sandbox")
    const registry = yield* Registry
    for (const [given, hint] of [["sandbx", /^did you mean sandbox\? banger vm list/], ["elsewhere", /^banger vm list/]] as const) {
      assert.match((yield* Effect.flip(registry.find(VmRef.make(given)))).hint, hint)
    }
  }).pipe(Effect.provide(daemonOn(state, new Set())))
}))
