import { assert, describe, it } from "@effect/vitest"
import { tmpdir } from "node:os"
import { BadConfig } from "@banger/domain/config-file.ts"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { OpFailed } from "./op-failed.ts"
import { endedBy, identityOf, keepReserve, Reserve, withinReserve } from "./reserve.ts"
import { reserve } from "./testing/settings.ts"

const short = new OpFailed({ subject: "copy", problem: "no room", fix: "make some" })

describe("reserve", () => {
  it.effect("what has no room is refused before it begins", () => Effect.gen(function*() {
    let begun = false
    const refused = yield* Effect.flip(withinReserve("copy", 2 ** 60, tmpdir())(Effect.sync(() => begun = true)))
    assert.include(refused.message, "are wanted")
    assert.isFalse(begun)
    yield* keepReserve("copy", 0, tmpdir())
  }).pipe(Effect.provide(reserve)))

  it.effect("a directory that is not there is said, not taken for room", () => Effect.gen(function*() {
    assert.include((yield* Effect.flip(keepReserve("copy", 0, "/nonexistent"))).message, "copy: ")
  }).pipe(Effect.provide(reserve)))

  it.effect("is asked for once a writer, and one that is not known lets nothing be written", () => Effect.gen(function*() {
    let asked = 0
    const known = Effect.sync(() => (asked++, 0))
    const writing = yield* Effect.fork(Effect.provideService(withinReserve("copy", 0, tmpdir())(Effect.delay(Effect.succeed("written"), "5 seconds")), Reserve, known))
    yield* TestClock.adjust("5 seconds")
    assert.strictEqual(yield* Fiber.join(writing), "written")
    assert.strictEqual(asked, 1)
    let begun = false
    const unknown = new BadConfig({ path: "host.toml", problem: "line 1: no" })
    const refused = yield* Effect.flip(Effect.provideService(withinReserve("copy", 0, tmpdir())(Effect.sync(() => begun = true)), Reserve, unknown))
    assert.deepStrictEqual([refused.message, refused.hint], ["copy: host.toml: line 1: no", unknown.hint])
    assert.isFalse(begun)
  }))

  it.effect("a writer is ended as soon as there is no more room, also within an operation that nobody may interrupt", () => Effect.gen(function*() {
    const ended = yield* Deferred.make<void>()
    let room = true
    const writer = Effect.onInterrupt(Effect.never, () => Deferred.succeed(ended, undefined))
    const work = yield* Effect.fork(Effect.uninterruptible(Effect.flip(endedBy(Effect.suspend(() => room ? Effect.void : Effect.fail(short)))(writer))))
    yield* TestClock.adjust("5 seconds")
    assert.isFalse(yield* Deferred.isDone(ended))
    room = false
    yield* TestClock.adjust("100 millis")
    assert.strictEqual(yield* Fiber.join(work), short)
    assert.isTrue(yield* Deferred.isDone(ended))
  }))

  it("parts of a pool share their room, whatever device numbers they have", () => {
    const [btrfs, zfs, xfs] = [0x9123683e, 0x2fc12fc1, 0x58465342]
    assert.strictEqual(identityOf(zfs, 1), identityOf(zfs, 2))
    assert.strictEqual(identityOf(btrfs, 1), identityOf(btrfs, 2))
    assert.notStrictEqual(identityOf(btrfs, 1), identityOf(zfs, 1))
    assert.notStrictEqual(identityOf(xfs, 1), identityOf(xfs, 2))
    assert.strictEqual(identityOf(xfs, 1), identityOf(xfs, 1))
  })

  it.effect("a writer's own end is the end", () => Effect.gen(function*() {
    assert.strictEqual(yield* endedBy(Effect.void)(Effect.succeed("written")), "written")
  }))
})
