import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { holding } from "@banger/capabilities/capability.ts"
import { type Complete, empty, stage } from "@banger/capabilities/compose.ts"
import { dmSnapshot } from "@banger/capabilities/dm-snapshot/live.ts"
import { dns } from "@banger/capabilities/dns/live.ts"
import { firecracker } from "@banger/capabilities/firecracker/live.ts"
import { guestConfig } from "@banger/capabilities/guest-config/live.ts"
import { type HostServices, pipeline } from "@banger/capabilities/pipeline.ts"
import { tapPool } from "@banger/capabilities/tap-pool/live.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { vsock } from "@banger/capabilities/vsock/live.ts"
import { workDisk } from "@banger/capabilities/work-disk/live.ts"
import type { Failure } from "@banger/domain/failure.ts"
import { VmRef } from "@banger/domain/ids.ts"
import { VmSpec, type VmSpec as Spec } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { strangers } from "../strangers.ts"
import { daemonOn, recovered, reserve } from "../testing.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Registry } from "./registry.ts"
import { VmRuntime } from "./runtime.ts"

const quiet = () => Effect.void

/** banger's list but for nat. */
const closed = pipe(empty, stage(vsock, dns), stage(tapPool, dmSnapshot, workDisk, guestConfig), stage(firecracker))

class Scratch extends Context.Tag("test/Scratch")<Scratch, { readonly made: boolean }>() {}

/** banger's list and a capability of one's own, which keeps an object of a run and an estate in `objects`. */
const withScratch = (objects: Set<string>) => {
  const there = ({ id }: Spec) => Effect.sync(() => objects.has(`scratch ${id}`))
  return stage(holding({
    name: "scratch",
    provides: Scratch,
    held: (spec: Spec) => ({
      what: "scratch",
      find: Effect.map(there(spec), (found) => found ? Option.some({ made: true }) : Option.none()),
      create: Effect.sync(() => {
        objects.add(`scratch ${spec.id}`)
        return { made: true }
      }),
      remove: Effect.sync(() => void objects.delete(`scratch ${spec.id}`))
    }),
    estate: {
      ensure: ({ id }) => Effect.sync(() => void objects.add(`estate scratch ${id}`)),
      remove: ({ id }) => Effect.sync(() => void objects.delete(`estate scratch ${id}`))
    },
    checks: []
  }))(pipeline)
}

const hosts = Effect.map(temporary, (state) => {
  const objects = new Set<string>()
  const daemon = <P, E extends Failure>(list: Complete<P, E, HostServices>) =>
  <A, E2>(test: Effect.Effect<A, E2, Layer.Layer.Success<ReturnType<typeof daemonOn>> | Scope.Scope>) =>
    Effect.scoped(Effect.provide(test, daemonOn(state, objects, undefined, list)))
  return { state, daemon, objects, of: (kind: string) => [...objects].filter((object) => object.startsWith(kind)) }
})

const created = (name: string, change: Partial<Spec> = {}) =>
  Effect.gen(function*() {
    const cell = yield* reserve(name)
    cell.record = { ...cell.record, spec: new VmSpec({ ...cell.record.spec, ...change }) }
    yield* (yield* Lifecycle).create(cell, quiet)
    return cell
  })
const found = (name: string) => Effect.flatMap(Registry, (registry) => registry.find(VmRef.make(name)))

describe("a daemon with another list than the one that made its VMs", () => {
  it.live("without nat: what a VM had of it is undone with its run, and the next one in the slot does not get out", () => Effect.scoped(Effect.gen(function*() {
    const { daemon, objects, of } = yield* hosts
    yield* daemon(pipeline)(created("a"))
    yield* daemon(closed)(Effect.gen(function*() {
      yield* recovered
      const a = yield* found("a")
      assert.deepStrictEqual([a.record.state, of("nat ").length], ["running", 1])
      assert.include((yield* VmRuntime).objects(a.record), "nat rule of 172.16.0.2")
      yield* (yield* Lifecycle).remove(a, true, quiet)
      assert.deepStrictEqual(of("nat "), [])
      // A run of which nobody knows any more.
      objects.add("nat 2")
      const b = yield* created("b", { nat: false })
      assert.deepStrictEqual([b.record.spec.slot, of("nat ")], [2, []])
      assert.notInclude((yield* VmRuntime).objects(b.record).join(), "nat")
    }))
  })))

  it.live("with nat again: a VM that ran without it gets what it was asked to have", () => Effect.scoped(Effect.gen(function*() {
    const { daemon, objects, of } = yield* hosts
    yield* daemon(closed)(Effect.zipRight(created("a", { nat: false }), created("b", { nat: true })))
    objects.add("nat 2")
    yield* daemon(pipeline)(Effect.gen(function*() {
      const cells = yield* recovered
      assert.deepStrictEqual(cells.map(({ record }) => record.state), ["running", "running"])
      assert.deepStrictEqual(of("nat "), ["nat 3"])
    }))
  })))

  it.live("with a new capability: a VM that runs gets its part, is not given up, and leaves nothing of it", () => Effect.scoped(Effect.gen(function*() {
    const { daemon, objects, of } = yield* hosts
    yield* daemon(pipeline)(created("a"))
    const unit = of("unit ")
    for (let restart = 0; restart < 2; restart++) {
      yield* daemon(withScratch(objects))(Effect.gen(function*() {
        yield* recovered
        const a = yield* found("a")
        assert.deepStrictEqual([a.record.state, of("unit "), of("scratch ").length, of("estate scratch ").length], ["running", unit, 1, 1])
        assert.include(a.record.taken, "scratch")
      }))
    }
    // From now on it belongs to the run: gone means that the run is over.
    for (const object of of("scratch ")) objects.delete(object)
    yield* daemon(withScratch(objects))(Effect.gen(function*() {
      yield* recovered
      const a = yield* found("a")
      assert.strictEqual(a.record.state, "crashed")
      yield* (yield* Lifecycle).remove(a, true, quiet)
      // What the name server was told is no object of a VM's.
      assert.deepStrictEqual([...objects].filter((object) => object !== "dns complete"), [])
    }))
  })))

  it.live("with a new capability: a VM that was stopped gets its estate at the next start", () => Effect.scoped(Effect.gen(function*() {
    const { daemon, objects, of } = yield* hosts
    yield* daemon(pipeline)(Effect.flatMap(created("a"), (cell) => Effect.flatMap(Lifecycle, (lifecycle) => lifecycle.stop(cell, 10, quiet))))
    yield* daemon(withScratch(objects))(Effect.gen(function*() {
      yield* recovered
      yield* (yield* Lifecycle).start(yield* found("a"), quiet)
      assert.deepStrictEqual([of("scratch ").length, of("estate scratch ").length], [1, 1])
    }))
  })))

  it.live("without a capability that it has no code of: the VM runs on, and is deleted only by force", () => Effect.scoped(Effect.gen(function*() {
    const { daemon, objects, of, state } = yield* hosts
    yield* daemon(withScratch(objects))(Effect.zipRight(created("a"), created("b")))
    const unknown = (names: ReadonlyArray<string>) => strangers(path.join(state, "vms"), names)
    assert.deepStrictEqual([yield* unknown(withScratch(objects).names), (yield* unknown(closed.names)).toSorted()], [[], ["a: scratch", "b: scratch"]])
    yield* daemon(pipeline)(Effect.gen(function*() {
      yield* recovered
      const a = yield* found("a")
      assert.strictEqual(a.record.state, "running")
      const lifecycle = yield* Lifecycle
      yield* lifecycle.stop(a, 10, quiet)
      const refused = yield* Effect.flip(lifecycle.remove(a, false, quiet))
      assert.strictEqual(refused.message, "could not delete a: scratch made part of it and this daemon lacks the code to undo that")
      assert.lengthOf(of("estate work"), 2)
      for (const name of ["a", "b"]) yield* lifecycle.remove(yield* found(name), true, quiet)
      assert.deepStrictEqual([...objects].filter((object) => !/^(estate )?scratch |^dns complete$/.test(object)), [])
    }))
  })))
})
