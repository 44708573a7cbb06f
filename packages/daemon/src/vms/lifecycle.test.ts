import { assert, describe, it } from "@effect/vitest"
import { VmRef } from "@banger/domain/ids.ts"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { daemonOn, reserve } from "../testing.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Registry } from "./registry.ts"

const quiet = () => Effect.void
const ofLease = (objects: Set<string>) => [...objects].filter((object) => !object.startsWith("estate "))

/** What a whole VM puts on the memory host; a probe run, since names hold the VM's id. */
const KINDS = ["estate cow", "estate work", "estate log", "estate keys", "dm banger-", "nat ", "sockets ", "tap ", "unit "]

describe("lifecycle", () => {
  it.scoped("create, stop, start and delete, and the host is as it was before", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const registry = yield* Registry
      const cell = yield* reserve("one")
      yield* lifecycle.create(cell, quiet)
      assert.strictEqual(cell.record.state, "running")
      for (const kind of KINDS) assert.isTrue([...objects].some((object) => object.startsWith(kind)), kind)
      yield* lifecycle.stop(cell, 10, quiet)
      assert.strictEqual(cell.record.state, "stopped")
      assert.deepStrictEqual(ofLease(objects), [])
      yield* lifecycle.start(cell, quiet)
      const refused = yield* Effect.flip(lifecycle.remove(cell, false, quiet))
      assert.strictEqual(refused._tag, "WrongState")
      yield* lifecycle.remove(cell, true, quiet)
      assert.strictEqual(objects.size, 0)
      assert.strictEqual(registry.cells().length, 0)
    }).pipe(Effect.provide(daemonOn(state, objects)))
  }))

  it.scoped("a create that fails at any step leaves neither objects nor a record", () => Effect.gen(function*() {
    for (const object of KINDS) {
      for (const when of ["before", "after", "defect"] as const) {
        const state = yield* temporary
        const objects = new Set<string>()
        yield* Effect.gen(function*() {
          const lifecycle = yield* Lifecycle
          const registry = yield* Registry
          const cell = yield* reserve("one")
          const exit = yield* Effect.exit(lifecycle.create(cell, quiet))
          assert.isTrue(Exit.isFailure(exit))
          assert.include(JSON.stringify(exit), "StepFailed")
          assert.strictEqual(objects.size, 0, `${object} ${when}`)
          assert.strictEqual(registry.cells().length, 0)
        }).pipe(Effect.provide(daemonOn(state, objects, { object, when })))
      }
    }
  }))

  it.scoped("tells each part as it begins, and once it is done", () => Effect.gen(function*() {
    const state = yield* temporary
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const [underWay, done] = [new Set<string>(), new Array<string>()]
      yield* lifecycle.create(yield* reserve("one"), (event) => Effect.sync(() => {
        if (event._tag === "Begun") underWay.add(event.step)
        if (event._tag === "Step") {
          assert.isTrue(underWay.delete(event.step), event.step)
          done.push(event.step)
        }
      }))
      assert.strictEqual(done[0], "disks")
      assert.include(done, "firecracker")
      assert.strictEqual(underWay.size, 0)
    }).pipe(Effect.provide(daemonOn(state, new Set())))
  }))

  it.scoped("an interrupted create leaves nothing", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const cell = yield* reserve("one")
      // Interrupted from within, at the first event of the start.
      yield* lifecycle.create(cell, (event) => event._tag === "Step" && event.step.startsWith("tap") ? Effect.interrupt : Effect.void).pipe(Effect.exit)
      assert.strictEqual(objects.size, 0)
      assert.strictEqual((yield* Registry).cells().length, 0)
    }).pipe(Effect.provide(daemonOn(state, objects)))
  }))

  it.scoped("what cannot be removed makes the VM broken, and keeps its disks and its record", () => Effect.gen(function*() {
    for (const object of ["dm banger-", "tap ", "unit "]) {
      const state = yield* temporary
      const objects = new Set<string>()
      yield* Effect.gen(function*() {
        const lifecycle = yield* Lifecycle
        const registry = yield* Registry
        const cell = yield* reserve("one")
        yield* lifecycle.create(cell, quiet)
        assert.strictEqual((yield* Effect.flip(lifecycle.stop(cell, 10, quiet)))._tag, "Leftovers")
        assert.strictEqual(cell.record.state, "broken")
        assert.include(cell.record.reason, "refused removed")
        assert.strictEqual((yield* Effect.flip(lifecycle.remove(cell, true, quiet)))._tag, "Leftovers")
        assert.isTrue([...objects].some((stands) => stands.startsWith("estate cow")))
        assert.strictEqual(ofLease(objects).length, 1)
        assert.strictEqual(registry.cells().length, 1)
      }).pipe(Effect.provide(daemonOn(state, objects, { object, when: "removed" })))
    }
  }))

  it.scoped("a name is taken once, and the lowest slot is used again", () => Effect.gen(function*() {
    const state = yield* temporary
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const registry = yield* Registry
      const [one, two] = [yield* reserve("one"), yield* reserve("two")]
      assert.deepStrictEqual([one.record.spec.slot, two.record.spec.slot], [2, 3])
      assert.strictEqual((yield* Effect.flip(reserve("one")))._tag, "NameTaken")
      yield* lifecycle.remove(one, true, quiet)
      assert.strictEqual((yield* reserve("three")).record.spec.slot, 2)
      assert.strictEqual((yield* registry.find(VmRef.make(two.record.spec.id.slice(0, 8)))).record.spec.name, "two")
      assert.strictEqual((yield* Effect.flip(registry.find(VmRef.make("nobody"))))._tag, "VmNotFound")
    }).pipe(Effect.provide(daemonOn(state, new Set())))
  }))
})
