import { readFileSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { VmName } from "@banger/domain/ids.ts"
import * as Effect from "effect/Effect"
import { daemonOn, reserve } from "../testing.ts"
import { makeChange } from "./change.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Registry } from "./registry.ts"

const quiet = () => Effect.void
const nat = (objects: Set<string>) => [...objects].some((object) => object.startsWith("nat "))

describe("a change of a VM", () => {
  it.scoped("is for the next start, but NAT comes and goes at once", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const change = yield* makeChange
      const cell = yield* reserve("one")
      yield* lifecycle.create(cell, quiet)
      const { memoryMib } = cell.record.spec
      const had = nat(objects)
      for (const wanted of [!had, had]) {
        yield* change(cell, { nat: wanted }, quiet)
        assert.deepStrictEqual([cell.record.spec.nat, nat(objects)], [wanted, wanted])
      }
      for (const refused of [{ memoryMib: 512 }, { vcpu: 2 }, { diskMib: 2 ** 20 }, { nat: true, vcpu: 2 }]) {
        assert.strictEqual((yield* Effect.flip(change(cell, refused, quiet)))._tag, "WrongState")
      }
      assert.strictEqual(cell.record.spec.memoryMib, memoryMib)
      yield* lifecycle.stop(cell, 10, quiet)
      yield* change(cell, { memoryMib: 512, vcpu: 2, nat: !had }, quiet)
      assert.isFalse(nat(objects), "of a VM that does not run there is no rule")
      yield* lifecycle.start(cell, quiet)
      const { spec } = cell.record
      assert.deepStrictEqual([spec.memoryMib, spec.vcpu, nat(objects)], [512, 2, !had])
      yield* lifecycle.remove(cell, true, quiet)
      assert.strictEqual(objects.size, 0)
    }).pipe(Effect.provide(daemonOn(state, objects)))
  }))

  it.scoped("never makes a disk smaller", () => Effect.gen(function*() {
    const state = yield* temporary
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const change = yield* makeChange
      const cell = yield* reserve("one")
      yield* lifecycle.create(cell, quiet)
      yield* lifecycle.stop(cell, 10, quiet)
      const { diskMib } = cell.record.spec
      const refused = yield* Effect.flip(change(cell, { diskMib: diskMib - 1 }, quiet))
      assert.strictEqual(refused.message, `could not change one: its disk has ${diskMib} MiB, and disks only grow`)
      yield* change(cell, { diskMib: diskMib + 1 }, quiet)
      assert.strictEqual(cell.record.spec.diskMib, diskMib + 1)
    }).pipe(Effect.provide(daemonOn(state, new Set())))
  }))

  it.scoped("gives a VM at rest another name, also to ssh, unless another VM has it", () => Effect.gen(function*() {
    const state = yield* temporary
    const renamed = yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const change = yield* makeChange
      const [one, two] = [yield* reserve("one"), yield* reserve("two")]
      for (const cell of [one, two]) yield* lifecycle.create(cell, quiet)
      const key = `${state}/vms/${one.record.spec.id}/ssh_host_ed25519_key.pub`
      writeFileSync(key, "ssh-ed25519 AAAA a comment\n")
      for (const cell of [one, two]) yield* lifecycle.stop(cell, 10, quiet)
      assert.strictEqual((yield* Effect.flip(change(one, { name: VmName.make("two") }, quiet)))._tag, "NameTaken")
      yield* change(one, { name: VmName.make("three") }, quiet)
      yield* change(two, { name: VmName.make("one") }, quiet)
      assert.deepStrictEqual([one.record.spec.name, two.record.spec.name], ["three", "one"])
      assert.strictEqual(readFileSync(`${state}/ssh/known_hosts`, "utf8"), "three.vm ssh-ed25519 AAAA\n")
      yield* lifecycle.start(one, quiet)
      return one.record.spec.id
    }).pipe(Effect.provide(daemonOn(state, new Set())))
    const found = yield* Effect.provide(Effect.map(Registry, (registry) => registry.cells().map(({ record }) => record.spec)), daemonOn(state, new Set()))
    assert.deepStrictEqual(found.map(({ id, name }) => [name, id === renamed]), [["one", false], ["three", true]])
  }))

  it.scoped("gives a VM that runs another name at once, in names and to ssh; its end takes that name", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    const names = () => [...objects].filter((object) => object.startsWith("dns ") && object !== "dns complete")
    yield* Effect.gen(function*() {
      const lifecycle = yield* Lifecycle
      const change = yield* makeChange
      const [one, two] = [yield* reserve("one"), yield* reserve("two")]
      for (const cell of [one, two]) yield* lifecycle.create(cell, quiet)
      writeFileSync(`${state}/vms/${one.record.spec.id}/ssh_host_ed25519_key.pub`, "ssh-ed25519 AAAA a comment\n")
      assert.strictEqual((yield* Effect.flip(change(one, { name: VmName.make("two") }, quiet)))._tag, "NameTaken")
      assert.deepStrictEqual(names(), ["dns one", "dns two"])
      const said: Array<string> = []
      const { run } = one
      yield* change(one, { name: VmName.make("three"), nat: false }, (event) => Effect.sync(() => void ("message" in event && said.push(event.message))))
      assert.deepStrictEqual([names(), one.record.spec.name, one.record.spec.nat, one.run === run], [["dns two", "dns three"], "three", false, true])
      assert.strictEqual(readFileSync(`${state}/ssh/known_hosts`, "utf8"), "three.vm ssh-ed25519 AAAA\n")
      // There is no guest here: that it keeps its name is said, and is no failure.
      assert.match(said[0] ?? "", /^the guest is called one until its next start: /)
      assert.strictEqual(said[1], "one is three from now on")
      yield* change(two, { name: VmName.make("one") }, quiet)
      yield* lifecycle.stop(one, 10, quiet)
      assert.deepStrictEqual(names(), ["dns one"])
    }).pipe(Effect.provide(daemonOn(state, objects)))
  }))

  it.scoped("of a name that fails leaves the former one", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    const failing = { object: "nothing yet", when: "before" as const }
    yield* Effect.gen(function*() {
      const change = yield* makeChange
      const cell = yield* reserve("one")
      yield* (yield* Lifecycle).create(cell, quiet)
      failing.object = "nat "
      assert.strictEqual((yield* Effect.flip(change(cell, { name: VmName.make("two") }, quiet)))._tag, "StepFailed")
      assert.deepStrictEqual([cell.record.spec.name, objects.has("dns one"), objects.has("dns two")], ["one", true, false])
    }).pipe(Effect.provide(daemonOn(state, objects, failing)))
  }))

  it.scoped("that fails is none", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    yield* Effect.gen(function*() {
      const change = yield* makeChange
      const cell = yield* reserve("one")
      yield* (yield* Lifecycle).create(cell, quiet)
      assert.strictEqual((yield* Effect.flip(change(cell, { nat: false }, quiet)))._tag, "StepFailed")
      assert.deepStrictEqual([cell.record.spec.nat, nat(objects)], [true, true])
    }).pipe(Effect.provide(daemonOn(state, objects, { object: "nat ", when: "removed" })))
  }))
})
