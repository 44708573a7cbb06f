import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Failing } from "@banger/capabilities/memory-host.ts"
import { VmRef } from "@banger/domain/ids.ts"
import type { VmState } from "@banger/domain/vm.ts"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Degraded } from "@banger/capabilities/degraded.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { daemonOn, recovered, reserve } from "../testing.ts"
import { HostFacts } from "../host-facts.ts"
import { SSH_FILES, SshFiles } from "./ssh-files.ts"
import { makeChange } from "./change.ts"
import { Lifecycle } from "./lifecycle.ts"
import { recovery } from "./recovery.ts"
import { type Cell, Registry } from "./registry.ts"
import { VmRuntime } from "./runtime.ts"

const quiet = () => Effect.void
const ofLease = (objects: Set<string>) => [...objects].filter((object) => !object.startsWith("estate "))

/** A daemon that ran one VM and was killed: nothing is closed, the record is what was written last. */
const killed = (state: string, objects: Set<string>, written: { readonly state: VmState; readonly hostBoot?: string; readonly autostart?: boolean }) =>
  Effect.gen(function*() {
    const registry = yield* Registry
    const cell = yield* reserve("one")
    yield* (yield* Lifecycle).create(cell, quiet)
    yield* registry.update(cell, written)
  }).pipe(Effect.provide(daemonOn(state, objects)), Effect.scoped)

/** The next daemon, once every VM is recovered. */
const restarted = <A, E>(state: string, objects: Set<string>, look: Effect.Effect<A, E, Registry | Lifecycle | HostFacts | VmRuntime | SshFiles>) =>
  Effect.zipRight(recovered, look).pipe(Effect.provide(daemonOn(state, objects)), Effect.scoped)

const one = Effect.flatMap(Registry, (registry) => registry.find(VmRef.make("one")))

describe("recovery", () => {
  it.live("a running VM is adopted, untouched", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "running" })
    const before = ofLease(objects).filter((object) => !object.startsWith("dns") && !object.startsWith("listener"))
    const cell = yield* restarted(state, objects, one)
    assert.strictEqual(cell.record.state, "running")
    assert.includeMembers(ofLease(objects), before)
  })))

  it.live("names are there from the first moment, complete once every VM is looked for, and no longer from the moment that the daemon ends", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "running" })
    yield* recovery.pipe(Effect.zipRight(Effect.sync(() => assert.isTrue(objects.has("dns one") && !objects.has("dns complete")))), Effect.provide(daemonOn(state, objects)), Effect.scoped)
    yield* restarted(state, objects, Effect.sync(() => assert.isTrue(objects.has("dns complete") && objects.has("dns one"))))
    assert.isFalse(objects.has("dns complete"))
    const none = yield* temporary
    yield* restarted(none, objects, Effect.sync(() => assert.isTrue(objects.has("dns complete"))))
  })))

  for (const written of ["starting", "broken"] as const) {
    it.live(`what was ${written} is given back, and its disks stay`, () => Effect.scoped(Effect.gen(function*() {
      const state = yield* temporary
      const objects = new Set<string>()
      yield* killed(state, objects, { state: written })
      const cell = yield* restarted(state, objects, one)
      assert.strictEqual(cell.record.state, "stopped")
      assert.deepStrictEqual(ofLease(objects), [])
      assert.strictEqual([...objects].filter((object) => object.startsWith("estate ")).length, 4)
    })))
  }

  it.live("what was being created is gone", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "creating" })
    const cells = yield* restarted(state, objects, Effect.map(Registry, (registry) => registry.cells()))
    assert.strictEqual(cells.length, 0)
    assert.deepStrictEqual([...objects], [])
  })))

  it.live("a VM of which a part is gone has crashed, and nothing of it is left", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "running" })
    for (const object of objects) if (object.startsWith("unit ")) objects.delete(object)
    const cell = yield* restarted(state, objects, one)
    assert.strictEqual(cell.record.state, "crashed")
    assert.deepStrictEqual(ofLease(objects), [])
  })))

  it.live("a VM whose stop was all but done when the daemon died is stopped, not crashed", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "stopping" })
    for (const object of ofLease(objects)) objects.delete(object)
    const { record } = yield* restarted(state, objects, one)
    assert.deepStrictEqual([record.state, record.reason], ["stopped", ""])
  })))

  it.live("a daemon starts although known_hosts cannot be written, deletes a VM, and doctor has why", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "running" })
    fs.rmSync(path.join(state, "ssh"), { recursive: true })
    fs.writeFileSync(path.join(state, "ssh"), "")
    const cells = yield* restarted(state, objects, Effect.gen(function*() {
      yield* (yield* Lifecycle).remove(yield* one, true, quiet)
      return (yield* Registry).cells()
    }))
    assert.deepStrictEqual([cells.length, [...objects]], [0, []])
    assert.include((yield* Degraded).get(SSH_FILES)?.problem, "cannot write the daemon's state")
  })).pipe(Effect.provideService(Degraded, new Map())))

  it.scoped("a VM that cannot be looked for is left alone, and found once it can be", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "running" })
    const before = ofLease(objects)
    const failing = { object: "unit ", when: "found" as Failing["when"] }
    /** Lets time pass until the VM's reason is as wanted. */
    const passUntil = (cell: Cell, wanted: (reason: string) => boolean) =>
      TestClock.adjust("1 second").pipe(Effect.zipRight(Effect.yieldNow()), Effect.repeat({ until: () => wanted(cell.record.reason) }))
    yield* Effect.gen(function*() {
      yield* recovery
      const cell = yield* one
      yield* passUntil(cell, (reason) => reason.startsWith("cannot be found again: unit "))
      assert.strictEqual(cell.record.state, "running")
      assert.includeMembers(ofLease(objects), before)
      failing.when = "before"
      yield* passUntil(cell, (reason) => reason === "")
      assert.isDefined(cell.run)
      assert.includeMembers(ofLease(objects), before)
    }).pipe(Effect.provide(daemonOn(state, objects, failing)))
  }))

  it.live("after a reboot of the host VMs are stopped, and say why", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "running", hostBoot: "another boot" })
    const cell = yield* restarted(state, objects, one)
    assert.strictEqual(cell.record.state, "stopped")
    assert.strictEqual(cell.record.reason, "host rebooted")
  })))

  it.live("after a reboot of the host those with autostart run, whatever they did before; after a restart of the daemon alone none does", () => Effect.scoped(Effect.gen(function*() {
    for (const before of ["running", "stopped", "crashed"] as const) {
      const state = yield* temporary
      const objects = new Set<string>()
      yield* killed(state, objects, { state: before, hostBoot: "another boot", autostart: true })
      if (before !== "running") for (const object of ofLease(objects)) objects.delete(object)
      const started = yield* restarted(state, objects, Effect.gen(function*() {
        const cell = yield* one
        yield* Effect.yieldNow().pipe(Effect.repeat({ until: () => cell.run !== undefined && cell.record.state === "running" }), Effect.timeout("10 seconds"))
        yield* (yield* Lifecycle).stop(cell, 0, quiet)
        return cell
      }))
      assert.strictEqual(started.record.autostart, true)
      assert.strictEqual((yield* restarted(state, objects, one)).record.state, "stopped")
    }
  })))

  it.live("autostart that is asked for today counts from the next boot on", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* killed(state, objects, { state: "stopped", hostBoot: "another boot" })
    for (const object of ofLease(objects)) objects.delete(object)
    yield* restarted(state, objects, Effect.flatMap(one, (cell) => Effect.flatMap(makeChange, (change) => change(cell, { autostart: true }, quiet))))
    const { record } = yield* restarted(state, objects, one)
    assert.deepStrictEqual([record.state, record.autostart], ["stopped", true])
  })))
})
