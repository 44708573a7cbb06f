import { assert, describe, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability } from "../capability.ts"
import { empty, GuestPatches, stage } from "../compose.ts"
import { Lease } from "../lease.ts"
import { type Failing, MemoryHost } from "../memory-host.ts"
import { pipeline, type HostServices } from "../pipeline.ts"
import { services, transports } from "./memory-helper.ts"
import { testSpec } from "./spec.ts"

export type Needs = HostServices | GuestPatches

/** Builds a layer with a fresh lease in the given mode, and closes its attachment at once. A run that is adopted began with `taken`. */
export const take = <P, E, R>(
  layer: (spec: VmSpec) => Layer.Layer<P, E, R | Lease>,
  spec: VmSpec,
  mode: "create" | "adopt",
  taken: ReadonlyArray<string> = pipeline.names
) =>
  Effect.gen(function*() {
    const lease = yield* Scope.make()
    const leftovers = yield* Ref.make<ReadonlyArray<string>>([])
    const exit = yield* Layer.build(layer(spec)).pipe(
      Effect.provideService(Lease, { scope: lease, mode, taken: new Set(taken), leftovers, step: (_, work) => work }),
      Effect.scoped,
      Effect.exit
    )
    return { exit, close: Effect.zipRight(Scope.close(lease, Exit.void), Ref.get(leftovers)) }
  })

/** Objects of a lease: estate carries its own prefix. */
export const ofLease = (objects: Iterable<string>) => [...objects].filter((object) => !object.startsWith("estate "))

/**
 * What every capability promises, run against the memory host over each transport of the helper. `needs` is what the
 * stages before it provide; `stands` says whether a lease of it leaves an object on the host, and `lost` what an adoption
 * does that misses the object; `services` are the host services that it needs and the standard pipeline does not, in memory.
 */
export const contract = <P, E, R extends Needs | N | S, N, H extends HostServices | S, S = never>(
  capability: Capability<P, E, R, H>,
  options: {
    readonly stands: boolean
    readonly lost?: "the VM is given up" | "it is put back"
    readonly needs: (spec: VmSpec) => Layer.Layer<N, never, Needs>
    readonly services?: Layer.Layer<S, never, MemoryHost>
  }
) => {
  const spec = testSpec()
  const alone = (of: VmSpec) => capability.layer(of).pipe(Layer.provide(options.needs(of))) as Layer.Layer<P, E, Needs | S | Lease>
  const own = options.services ?? (Layer.empty as Layer.Layer<S>)

  for (const [transport, helper] of Object.entries(transports)) {
    describe(`${capability.name}, ${transport}`, () => {
      const onHost = <A, E2>(
        objects: Set<string>,
        test: Effect.Effect<A, E2, Needs | S | Scope.Scope>,
        failing?: Failing
      ) =>
        test.pipe(
          Effect.provideService(GuestPatches, pipeline.guest(spec) as Context.Tag.Service<GuestPatches>),
          Effect.provide(Layer.mergeAll(services, helper, own).pipe(Layer.provide(MemoryHost.layer(objects, failing)))),
          Effect.scoped
        )
      const provisioned = capability.estate?.ensure(spec) ?? Effect.void

      it.live("a lease holds it and gives it back; the estate stays until it is removed", () => {
        const objects = new Set<string>()
        return onHost(objects, Effect.gen(function*() {
          yield* provisioned
          yield* provisioned
          const estate = [...objects]
          assert.deepStrictEqual(ofLease(estate), [])
          const { close, exit } = yield* take(alone, spec, "create")
          assert.isTrue(Exit.isSuccess(exit), String(exit))
          assert.strictEqual(ofLease(objects).length, options.stands ? 1 : 0)
          assert.deepStrictEqual(yield* close, [])
          assert.deepStrictEqual([...objects], estate)
          yield* capability.estate?.remove(spec) ?? Effect.void
          assert.strictEqual(objects.size, 0)
        }))
      })

      it.live("is found again in adopt mode, and reclaimed from the spec alone", () => {
        const objects = new Set<string>()
        return onHost(objects, Effect.gen(function*() {
          yield* provisioned
          yield* take(alone, spec, "create")
          const adopted = yield* take(alone, spec, "adopt")
          assert.isTrue(Exit.isSuccess(adopted.exit), String(adopted.exit))
          yield* capability.reclaim(spec)
          yield* capability.reclaim(spec)
          assert.deepStrictEqual(ofLease(objects), [])
        }))
      })

      it.live("a run that began before it was in the list is not given up: it gets its part, or what the capability has instead", () => {
        const objects = new Set<string>()
        const composed = (of: VmSpec) =>
          stage(capability)(empty).layer(of).pipe(Layer.provide(options.needs(of))) as Layer.Layer<P, E, Needs | S | Lease>
        return onHost(objects, Effect.gen(function*() {
          const { close, exit } = yield* take(composed, spec, "adopt", [])
          if (capability.absent === undefined) {
            assert.isTrue(Exit.isSuccess(exit), String(exit))
            assert.strictEqual(ofLease(objects).length, options.stands ? 1 : 0)
          } else {
            assert.notInclude(JSON.stringify(exit), "NotAdoptable")
            assert.deepStrictEqual(ofLease(objects), [])
          }
          assert.deepStrictEqual(yield* close, [])
          assert.deepStrictEqual(ofLease(objects), [])
        }))
      })

      it.live("a list without it gives back what a run under another list had of it", () => {
        const objects = new Set<string>()
        return onHost(objects, Effect.gen(function*() {
          yield* provisioned
          yield* take(alone, spec, "create")
          assert.deepStrictEqual(yield* stage(capability)(empty).reclaim(spec, (name) => name === capability.name), [])
          assert.deepStrictEqual(ofLease(objects), [])
          yield* stage(capability)(empty).destroy(spec, () => false)
          yield* stage(capability)(empty).destroy(spec, (name) => name === capability.name)
          assert.strictEqual(objects.size, 0)
        }))
      })

      if (options.stands) {
        it.live(`when it is gone ${options.lost ?? "the VM is given up"}`, () => {
          const objects = new Set<string>()
          return onHost(objects, Effect.gen(function*() {
            yield* provisioned
            const { close, exit } = yield* take(alone, spec, "adopt")
            if (options.lost === "it is put back") assert.isTrue(Exit.isSuccess(exit), String(exit))
            else assert.include(JSON.stringify(exit), "NotAdoptable")
            yield* close
            assert.deepStrictEqual(ofLease(objects), [])
          }))
        })

        for (const when of ["before", "after"] as const) {
          it.live(`a create that fails ${when} its work leaves nothing`, () => {
            const probe = new Set<string>()
            return Effect.gen(function*() {
              yield* onHost(probe, Effect.zipRight(provisioned, take(alone, spec, "create")))
              const [object] = ofLease(probe)
              assert.isDefined(object)
              const objects = new Set<string>()
              yield* onHost(objects, Effect.gen(function*() {
                yield* provisioned
                const { close, exit } = yield* take(alone, spec, "create")
                assert.isTrue(Exit.isFailure(exit))
                assert.deepStrictEqual(yield* close, [])
                assert.deepStrictEqual(ofLease(objects), [])
              }), { object: object ?? "", when })
            })
          })
        }
      }
    })
  }
}
