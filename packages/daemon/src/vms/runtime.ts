import type { Check } from "@banger/capabilities/capability.ts"
import { type Complete, GuestPatches } from "@banger/capabilities/compose.ts"
import { type CannotRemove, Lease } from "@banger/capabilities/lease.ts"
import type { VmSpec } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"

/** What every error of a capability says for itself. */
export interface Failure {
  readonly _tag: string
  readonly message: string
  readonly hint?: string
}

/** A start that failed: why, and what of it could not be given back. */
export class RunFailed extends Data.TaggedError("RunFailed")<{
  readonly failure: Failure
  readonly leftovers: ReadonlyArray<string>
}> {}

/** A VM that runs: its lease, and what ties this daemon to it. */
export interface Run {
  readonly lease: Scope.CloseableScope
  readonly attachment: Scope.CloseableScope
  readonly leftovers: Ref.Ref<ReadonlyArray<string>>
}

export type Step = (what: string, ms: number) => Effect.Effect<void>

/** The pipeline, provided with the services of this host: the only way the daemon touches what VMs are made of. */
export class VmRuntime extends Context.Tag("@banger/daemon/VmRuntime")<VmRuntime, {
  readonly provision: (spec: VmSpec) => Effect.Effect<void, Failure>
  /** Removes what create made; gives what could not be removed. */
  readonly destroy: (spec: VmSpec) => Effect.Effect<ReadonlyArray<string>>
  /** Takes a lease. A start that fails or is interrupted has given everything back but what it tells. */
  readonly start: (spec: VmSpec, step: Step) => Effect.Effect<Run, RunFailed>
  /** Finds a running VM again after a restart of the daemon. A failure leaves it untouched. */
  readonly adopt: (spec: VmSpec) => Effect.Effect<Run, Failure>
  /** Closes attachment and lease; gives what could not be undone. */
  readonly stop: (run: Run) => Effect.Effect<ReadonlyArray<string>>
  /** Undoes a run that nobody holds any more, from whatever half of it stands. */
  readonly reclaim: (spec: VmSpec) => Effect.Effect<ReadonlyArray<string>>
  readonly checks: ReadonlyArray<Check<never> & { readonly capability: string }>
}>() {
  static readonly layer = <P, E extends Failure, H>(pipeline: Complete<P, E, H>): Layer.Layer<VmRuntime, never, H> =>
    Layer.scoped(VmRuntime, Effect.gen(function*() {
      const host = yield* Effect.context<H>()
      const daemon = yield* Effect.scope

      /** A flaw of a capability's own fails the step like any error does: no VM stays `starting` for it. */
      const whole = <A, E2 extends Failure, R>(step: Effect.Effect<A, E2, R>): Effect.Effect<A, Failure, R> =>
        Effect.catchAllDefect(step, (defect) =>
          Effect.zipRight(
            Effect.logError("unexpected", defect),
            Effect.fail<Failure>({ _tag: "Unexpected", message: `unexpected: ${String(defect)}`, hint: "journalctl -u bangerd has it all: this is a flaw of banger's, or of a capability's" })
          ))

      const open = Effect.gen(function*() {
        const run: Run = {
          lease: yield* Scope.make(),
          attachment: yield* Scope.fork(daemon, ExecutionStrategy.sequential),
          leftovers: yield* Ref.make<ReadonlyArray<string>>([])
        }
        return run
      })
      const build = (spec: VmSpec, run: Run, mode: "create" | "adopt", step: Step) =>
        Layer.buildWithScope(pipeline.layer(spec), run.attachment).pipe(
          Effect.provideService(Lease, { scope: run.lease, mode, leftovers: run.leftovers, step }),
          Effect.provideService(GuestPatches, pipeline.guest(spec)),
          Effect.provide(host)
        )
      const stop = (run: Run) =>
        Scope.close(run.attachment, Exit.void).pipe(
          Effect.zipRight(Scope.close(run.lease, Exit.void)),
          Effect.zipRight(Ref.get(run.leftovers))
        )
      const messages = (stayed: ReadonlyArray<CannotRemove>) => stayed.map(({ message }) => message)

      return {
        provision: (spec) => whole(Effect.provide(pipeline.provision(spec), host)),
        destroy: (spec) => Effect.map(Effect.provide(pipeline.destroy(spec), host), messages),
        start: (spec, step) =>
          Effect.gen(function*() {
            const run = yield* open
            yield* build(spec, run, "create", step).pipe(
              Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : stop(run)),
              whole,
              Effect.catchAll((failure) =>
                Effect.flatMap(Ref.get(run.leftovers), (leftovers) => new RunFailed({ failure, leftovers }))
              )
            )
            return run
          }),
        adopt: (spec) =>
          Effect.gen(function*() {
            const run = yield* open
            yield* build(spec, run, "adopt", () => Effect.void).pipe(
              Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(run.attachment, exit)),
              whole
            )
            return run
          }),
        stop,
        reclaim: (spec) => Effect.map(Effect.provide(pipeline.reclaim(spec), host), messages),
        checks: pipeline.checks.map((check) => ({ ...check, run: Effect.provide(check.run, host) }))
      }
    }))
}
