import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import { type Complete, empty, GuestPatches, stage } from "./compose.ts"
import { dmSnapshot } from "./dm-snapshot/live.ts"
import { dns } from "./dns/live.ts"
import { firecracker } from "./firecracker/live.ts"
import { guestConfig } from "./guest-config/live.ts"
import { type Failing, MemoryHost } from "./memory-host.ts"
import { type HostServices, pipeline } from "./pipeline.ts"
import { tapPool } from "./tap-pool/live.ts"
import { ofLease, take } from "./testing/contract-suite.ts"
import { services, transports } from "./testing/memory-helper.ts"
import { testSpec } from "./testing/spec.ts"
import { vsock } from "./vsock/live.ts"
import { workDisk } from "./work-disk/live.ts"

const spec = testSpec()

/** What a daemon accepts. */
const runnable = <P, E>(of: Complete<P, E, HostServices>) => of

const onHost = <A, E>(
  objects: Set<string>,
  test: Effect.Effect<A, E, HostServices | GuestPatches>,
  failing?: Failing
) =>
  test.pipe(
    Effect.provideService(GuestPatches, pipeline.guest(spec)),
    Effect.provide(Layer.mergeAll(services, transports["in process"]).pipe(Layer.provide(MemoryHost.layer(objects, failing))))
  )

/** Every object of a VM that runs on the memory host, estate and lease. */
const standing = Effect.gen(function*() {
  const objects = new Set<string>()
  yield* onHost(objects, Effect.zipRight(pipeline.provision(spec), take(pipeline.layer, spec, "create")))
  return objects
})

describe("pipeline", () => {
  it("is complete, and its type says what is missing when it is not", () => {
    runnable(pipeline)
    // @ts-expect-error Firecracker needs the root disk, and nobody provides it
    runnable(pipe(empty, stage(tapPool, workDisk, vsock), stage(guestConfig, dns), stage(firecracker)))
    // @ts-expect-error the guest's configuration is served on the vsock, which comes later
    runnable(pipe(empty, stage(tapPool, dmSnapshot, workDisk), stage(guestConfig), stage(vsock), stage(firecracker)))
    // @ts-expect-error Firecracker comes before what it is made of
    runnable(pipe(empty, stage(firecracker), stage(tapPool, dmSnapshot, workDisk, vsock), stage(guestConfig)))
  })

  it("gives doctor every capability's checks", () => {
    assert.deepStrictEqual(
      [...new Set(pipeline.checks.map(({ capability }) => capability))],
      ["dns", "tap-pool", "dm-snapshot", "work-disk", "nat", "guest-config", "firecracker"]
    )
  })

  it.effect("a lease leaves the host as create left it, and destroy leaves nothing", () => Effect.gen(function*() {
    const objects = new Set<string>()
    yield* onHost(objects, Effect.gen(function*() {
      yield* pipeline.provision(spec)
      const estate = [...objects]
      const { close, exit } = yield* take(pipeline.layer, spec, "create")
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      assert.deepStrictEqual(ofLease(objects).toSorted(), ["dm banger-00000000000000a1", "nat 5", "sockets /run/banger-vm/00000000000000a1", "tap bng5", "unit 00000000000000a1"])
      assert.deepStrictEqual(yield* close, [])
      assert.deepStrictEqual([...objects], estate)
      assert.deepStrictEqual(yield* pipeline.destroy(spec), [])
      assert.strictEqual(objects.size, 0)
    }))
  }))

  it.effect("a start that fails at any object, before or after it is made, leaves nothing of its lease", () => Effect.gen(function*() {
    for (const object of ofLease(yield* standing)) {
      for (const when of ["before", "after"] as const) {
        const objects = new Set<string>()
        yield* onHost(objects, Effect.gen(function*() {
          yield* pipeline.provision(spec)
          const estate = [...objects]
          const { close, exit } = yield* take(pipeline.layer, spec, "create")
          assert.isTrue(Exit.isFailure(exit), `${object} ${when}`)
          assert.deepStrictEqual(yield* close, [])
          assert.deepStrictEqual([...objects], estate, `${object} ${when}`)
        }), { object, when })
      }
    }
  }))

  it.effect("a create that fails at any file leaves nothing", () => Effect.gen(function*() {
    for (const object of [...yield* standing].filter((each) => each.startsWith("estate "))) {
      const objects = new Set<string>()
      yield* onHost(objects, Effect.gen(function*() {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(pipeline.provision(spec))), object)
        assert.deepStrictEqual(yield* pipeline.destroy(spec), [])
        assert.strictEqual(objects.size, 0)
      }), { object, when: "after" })
    }
  }))

  it.effect("reclaim from any subset of a run leaves nothing of the lease and everything of the estate", () =>
    Effect.gen(function*() {
      const all = [...yield* standing]
      yield* Effect.promise(() =>
        FastCheck.assert(FastCheck.asyncProperty(FastCheck.subarray(all), (state) => {
          const objects = new Set(state)
          return Effect.runPromise(onHost(objects, pipeline.reclaim(spec)).pipe(
            Effect.map((stayed) => {
              assert.deepStrictEqual(stayed, [])
              assert.deepStrictEqual([...objects], state.filter((object) => object.startsWith("estate ")))
            })
          ))
        }))
      )
    }))

  it.effect("is adopted whole, and refused with any part of it gone but what is put back", () => Effect.gen(function*() {
    const all = yield* standing
    for (const gone of [undefined, ...ofLease(all)]) {
      const objects = new Set([...all].filter((object) => object !== gone))
      yield* onHost(objects, Effect.gen(function*() {
        const { exit } = yield* take(pipeline.layer, spec, "adopt")
        assert.strictEqual(Exit.isSuccess(exit), gone === undefined || gone.startsWith("nat "), gone)
      }))
    }
  }))
})
