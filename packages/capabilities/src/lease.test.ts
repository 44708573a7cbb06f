import { assert, describe, it } from "@effect/vitest"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { CannotRemove, Lease, leased, removing } from "./lease.ts"

const open = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const leftovers = yield* Ref.make<ReadonlyArray<string>>([])
  return { scope, leftovers, mode: "create" as const, taken: new Set<string>(), step: <A, E, R>(_: string, work: Effect.Effect<A, E, R>) => work }
})

describe("lease", () => {
  it.effect("what cannot be removed is kept in mind, and the rest is removed all the same", () => Effect.gen(function*() {
    const host = new Set<string>()
    const lease = yield* open
    const held = (what: string, remove: Effect.Effect<void, CannotRemove>) =>
      leased({ what, find: Effect.succeed(Option.none()), create: Effect.sync(() => host.add(what)), remove }).pipe(Effect.provideService(Lease, lease))
    yield* held("tap", Effect.sync(() => void host.delete("tap")))
    yield* held("disk", new CannotRemove({ what: "disk", problem: "busy" }))
    yield* Scope.close(lease.scope, Exit.void)
    assert.deepStrictEqual([...host], ["disk"])
    assert.deepStrictEqual(yield* Ref.get(lease.leftovers), ["disk: busy"])
  }))

  it.effect("an interrupted create is undone", () => Effect.gen(function*() {
    const host = new Set<string>()
    const lease = yield* open
    const fiber = yield* Effect.fork(leased({
      what: "disk",
      find: Effect.succeed(Option.none<string>()),
      create: Effect.zipRight(Effect.sync(() => host.add("disk")), Effect.never),
      remove: Effect.sync(() => void host.delete("disk"))
    }).pipe(Effect.provideService(Lease, lease)))
    yield* Effect.yieldNow()
    yield* Fiber.interrupt(fiber)
    yield* Scope.close(lease.scope, Exit.void)
    assert.strictEqual(host.size, 0)
  }))

  it.effect("a removal waits for a helper that is away, and gives up in time", () => Effect.gen(function*() {
    let calls = 0
    const away = (until: number) => removing("tap", Effect.suspend(() => ++calls < until ? new HelperUnreachable({ problem: "not running" }) : Effect.void))
    const back = yield* Effect.fork(away(5))
    yield* TestClock.adjust("10 seconds")
    yield* Fiber.join(back)
    assert.strictEqual(calls, 5)
    const never = yield* Effect.fork(Effect.flip(away(Infinity)))
    yield* TestClock.adjust("35 seconds")
    assert.include((yield* Fiber.join(never)).message, "tap: the root helper does not answer")
  }))
})
