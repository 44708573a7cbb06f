import { assert, describe, it } from "@effect/vitest"
import { RESERVE_BYTES } from "@banger/capabilities/testing/settings.ts"
import { steppedClock } from "@banger/capabilities/testing/stepped-clock.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { VmRef } from "@banger/domain/ids.ts"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { daemonOn, reserve } from "../testing.ts"
import { HostFacts } from "../host-facts.ts"
import { Events } from "./events.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Operations } from "./operations.ts"
import { recovery } from "./recovery.ts"
import { type Cell, Registry } from "./registry.ts"
import { makeRoom, nearlyFull } from "./room.ts"

const quiet = () => Effect.void
const paused = (objects: Set<string>) => [...objects].filter((object) => object.startsWith("paused "))

/** A disk that the test fills and empties. */
const disk = (free: number) => {
  const state = { free }
  return { state, bytes: Effect.sync(() => state.free) }
}

/** Lets time pass until it is so. */
const passUntil = (so: () => boolean) => TestClock.adjust("100 millis").pipe(Effect.zipRight(Effect.yieldNow()), Effect.repeat({ until: so }))

const running = (name: string) =>
  Effect.gen(function*() {
    const cell = yield* reserve(name)
    yield* (yield* Lifecycle).create(cell, quiet)
    return cell
  })

describe("room", () => {
  it.scoped("VMs are paused when the reserve is reached, say why, and go on when there is room again", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    const { bytes, state: host } = disk(100 * RESERVE_BYTES)
    yield* Effect.gen(function*() {
      const cells = [yield* running("one"), yield* running("two")]
      const all = (state: Cell["record"]["state"]) => cells.every(({ record }) => record.state === state)
      yield* makeRoom(bytes)
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(all("running"))
      host.free = RESERVE_BYTES - 1
      yield* passUntil(() => all("paused"))
      assert.strictEqual(paused(objects).length, 2)
      assert.strictEqual(cells[0]?.record.reason, "the host's disk is nearly full, and it goes on when 2.3 GiB are free")
      // A little more than the reserve is not yet room: they would be paused again at once.
      host.free = RESERVE_BYTES + 1
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(all("paused"))
      host.free = 2 * RESERVE_BYTES
      yield* passUntil(() => all("running"))
      assert.deepStrictEqual(paused(objects), [])
      const events = yield* Stream.runCollect((yield* Events).lines(cells[0]?.record.spec.id ?? assert.fail(), false, Infinity))
      const said = Chunk.toReadonlyArray(events).map((line) => line.slice(line.indexOf(" ") + 1))
      assert.deepStrictEqual(said.slice(-2), ["paused: the host's disk is nearly full, and it goes on when 2.3 GiB are free", "running"])
    }).pipe(Effect.provide(daemonOn(state, objects)))
  }))

  it.scoped("a paused VM is stopped without being asked, and deleted by force, on a disk that stays full", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const [one, two] = [yield* running("one"), yield* running("two")]
      yield* makeRoom(disk(0).bytes)
      yield* passUntil(() => [one, two].every(({ record }) => record.state === "paused"))
      assert.include((yield* Effect.flip(lifecycle.start(one, quiet))).message, "paused, not running")
      assert.strictEqual((yield* Effect.flip(lifecycle.remove(two, false, quiet)))._tag, "WrongState")
      // An hour's patience with a guest that cannot answer: it is not asked.
      const { how, inOrder } = yield* lifecycle.stop(one, 3_600_000, quiet)
      assert.isFalse(inOrder)
      assert.include(how, "killed: it was paused, the host's disk is nearly full")
      assert.strictEqual(one.record.state, "stopped")
      yield* lifecycle.remove(two, true, quiet)
      assert.strictEqual((yield* Registry).cells().length, 1)
      assert.deepStrictEqual(paused(objects), [])
    }).pipe(Effect.provide(daemonOn(state, objects)))
  }))

  it.scoped("the reserve is the one that root goes by, and the usual one as long as the helper does not say", () => Effect.gen(function*() {
    const state = yield* temporary
    const { bytes, state: host } = disk(3 * RESERVE_BYTES)
    yield* Effect.gen(function*() {
      const cell = yield* running("one")
      const facts = yield* HostFacts
      const said = yield* Deferred.make<void>()
      const helper = Effect.zipRight(Deferred.await(said), Effect.map(facts.helper, (hello) => ({ ...hello, reserveBytes: 4 * RESERVE_BYTES })))
      yield* Effect.provideService(makeRoom(bytes), HostFacts, { ...facts, helper })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(cell.record.state, "running")
      host.free = RESERVE_BYTES - 1
      yield* passUntil(() => cell.record.state === "paused")
      host.free = 3 * RESERVE_BYTES
      yield* passUntil(() => cell.record.state === "running")
      yield* Deferred.succeed(said, undefined)
      yield* passUntil(() => cell.record.state === "paused")
      assert.strictEqual(cell.record.reason, "the host's disk is nearly full, and it goes on when 8.3 GiB are free")
    }).pipe(Effect.provide(daemonOn(state, new Set())))
  }))

  it.scoped("a lost root disk is seen, also when the host's clock was set back meanwhile", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    const { clock, wall } = yield* steppedClock
    yield* Effect.gen(function*() {
      const cell = yield* running("one")
      yield* makeRoom(disk(100 * RESERVE_BYTES).bytes)
      yield* TestClock.adjust("5 seconds")
      wall.offset = -14_400_000
      objects.add(`lost ${cell.record.spec.id}`)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(cell.record.state, "crashed")
    }).pipe(Effect.provide(daemonOn(state, objects)), Effect.withClock(clock))
  }))

  it.scoped("a VM that another operation works on is paused once that has ended", () => Effect.gen(function*() {
    const state = yield* temporary
    yield* Effect.gen(function*() {
      const operations = yield* Operations
      const cell = yield* running("one")
      const gate = yield* Deferred.make<void>()
      yield* operations.run(cell.record.spec, "started", () => Deferred.await(gate))
      yield* makeRoom(disk(0).bytes)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(cell.record.state, "running")
      yield* Deferred.succeed(gate, undefined)
      yield* passUntil(() => cell.record.state === "paused")
    }).pipe(Effect.provide(daemonOn(state, new Set())))
  }))

  it.scoped("what cannot be paused says so, once, and is tried again", () => Effect.gen(function*() {
    const state = yield* temporary
    const failing = { object: "paused ", when: "before" as "before" | "removed" }
    yield* Effect.gen(function*() {
      const cell = yield* running("one")
      yield* makeRoom(disk(0).bytes)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(cell.record.state, "running")
      assert.include(cell.record.reason, "cannot become paused: Firecracker refused PATCH /vm")
      const told = Chunk.toReadonlyArray(yield* Stream.runCollect((yield* Events).lines(cell.record.spec.id, false, Infinity)))
      assert.strictEqual(told.filter((line) => line.includes("cannot become paused")).length, 1)
      failing.when = "removed"
      yield* passUntil(() => cell.record.state === "paused")
    }).pipe(Effect.provide(daemonOn(state, new Set(), failing)))
  }))

  for (const written of ["paused", "running"] as const) {
    it.scoped(`a daemon that ended with a paused VM (written down: ${written}): the next one finds it paused, and lets it go on`, () => Effect.gen(function*() {
      const state = yield* temporary
      const objects = new Set<string>()
      yield* Effect.gen(function*() {
        const cell = yield* running("one")
        yield* (yield* Registry).update(cell, { state: written })
        objects.add(`paused ${cell.record.spec.id}`)
      }).pipe(Effect.provide(daemonOn(state, objects)), Effect.scoped)
      const { bytes, state: host } = disk(0)
      yield* Effect.gen(function*() {
        yield* recovery
        const cell = yield* Effect.flatMap(Registry, (registry) => registry.find(VmRef.make("one")))
        yield* passUntil(() => cell.run !== undefined && cell.record.state === "paused")
        yield* makeRoom(bytes)
        yield* TestClock.adjust("10 seconds")
        assert.deepInclude(cell.record, { state: "paused", reason: nearlyFull(RESERVE_BYTES) })
        host.free = 3 * RESERVE_BYTES
        yield* passUntil(() => cell.record.state === "running")
        assert.deepStrictEqual(paused(objects), [])
      }).pipe(Effect.provide(daemonOn(state, objects)))
    }))
  }

  it.scoped("a VM whose root disk is lost has crashed, and says why", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* Effect.gen(function*() {
      const cell = yield* running("one")
      objects.add(`lost ${cell.record.spec.id}`)
      yield* makeRoom(disk(100 * RESERVE_BYTES).bytes)
      yield* passUntil(() => cell.record.state === "crashed")
      assert.include(cell.record.reason, "its root disk is lost")
    }).pipe(Effect.provide(daemonOn(state, objects)))
  }))
})
