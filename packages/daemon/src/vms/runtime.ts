import type { Check } from "@banger/capabilities/capability.ts"
import { type Choice, type Complete, GuestPatches } from "@banger/capabilities/compose.ts"
import { type CannotRemove, Lease } from "@banger/capabilities/lease.ts"
import { type HostServices, pipeline as standard } from "@banger/capabilities/pipeline.ts"
import type { Failure } from "@banger/domain/failure.ts"
import type { VmRecord } from "@banger/domain/vm.ts"
import type { Step } from "../step.ts"
import { undoable } from "../strangers.ts"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"

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

/** The pipeline, provided with the services of this host: the only way the daemon touches what VMs are made of. */
export class VmRuntime extends Context.Tag("@banger/daemon/VmRuntime")<VmRuntime, {
  /** The capabilities of this daemon's list. */
  readonly names: ReadonlyArray<string>
  /** Makes what the VM keeps, of the capabilities that have not made theirs yet. */
  readonly provision: (record: VmRecord, of?: Choice) => Effect.Effect<void, Failure>
  /** Removes what create made; gives what could not be removed. */
  readonly destroy: (record: VmRecord) => Effect.Effect<ReadonlyArray<string>>
  /** Takes a lease. A start that fails or is interrupted has given everything back but what it tells. */
  readonly start: (record: VmRecord, step: Step) => Effect.Effect<Run, RunFailed>
  /** Finds a running VM again after a restart of the daemon. A failure leaves it untouched. */
  readonly adopt: (record: VmRecord) => Effect.Effect<Run, Failure>
  /** Brings a run that goes on in line with its record's spec, which changed. */
  readonly adjust: (record: VmRecord) => Effect.Effect<void, Failure>
  /** Closes attachment and lease; gives what could not be undone. */
  readonly stop: (run: Run) => Effect.Effect<ReadonlyArray<string>>
  /** Undoes a run that nobody holds any more, from whatever half of it stands. */
  readonly reclaim: (record: VmRecord) => Effect.Effect<ReadonlyArray<string>>
  /** The host objects that the VM's run has. */
  readonly objects: (record: VmRecord) => ReadonlyArray<string>
  /** Capabilities that made part of the VM, and that nothing in this daemon can undo. */
  readonly strangers: (record: VmRecord) => ReadonlyArray<string>
  readonly checks: ReadonlyArray<Check<never> & { readonly capability: string }>
}>() {
  static readonly layer = <P, E extends Failure, H>(pipeline: Complete<P, E, H>): Layer.Layer<VmRuntime, never, H | HostServices> =>
    Layer.scoped(VmRuntime, Effect.gen(function*() {
      const host = yield* Effect.context<H | HostServices>()
      const daemon = yield* Effect.scope

      const listed = new Set(pipeline.names)
      /** banger's own capabilities that this daemon's list leaves out: it runs none of them, and still undoes what they did. */
      const retired: Choice = (name) => !listed.has(name)
      const known = undoable(pipeline.names)

      /** A flaw of a capability's own fails the step like any error does: no VM stays `starting` for it. */
      const whole = <A, E2 extends Failure, R>(step: Effect.Effect<A, E2, R>): Effect.Effect<A, Failure, R> =>
        Effect.catchAllDefect(step, (defect) =>
          Effect.zipRight(
            Effect.logError("unexpected", defect),
            Effect.fail<Failure>({ _tag: "Unexpected", message: `unexpected: ${String(defect)}`, hint: "journalctl -u bangerd has it all: this is a flaw of banger's, or of a capability's" })
          ))

      const messages = (stayed: ReadonlyArray<CannotRemove>) => stayed.map(({ message }) => message)
      /** What a run under another list took, and this one would not give back. Also what stands in the VM's slot from another VM's run. */
      const retire = ({ spec }: VmRecord) => Effect.map(Effect.provide(standard.reclaim(spec, retired), host), messages)

      /** The lease's last removal is that of what this list lacks. */
      const open = (record: VmRecord) =>
        Effect.gen(function*() {
          const run: Run = {
            lease: yield* Scope.make(),
            attachment: yield* Scope.fork(daemon, ExecutionStrategy.sequential),
            leftovers: yield* Ref.make<ReadonlyArray<string>>([])
          }
          yield* Scope.addFinalizer(run.lease, Effect.flatMap(retire(record), (left) => Ref.update(run.leftovers, (all) => [...all, ...left])))
          return run
        })
      const build = ({ spec, taken }: VmRecord, run: Run, mode: "create" | "adopt", step: Step) =>
        Layer.buildWithScope(pipeline.layer(spec), run.attachment).pipe(
          Effect.provideService(Lease, { scope: run.lease, mode, taken: new Set(taken), leftovers: run.leftovers, step }),
          Effect.provideService(GuestPatches, pipeline.guest(spec)),
          Effect.provide(host)
        )
      const stop = (run: Run) =>
        Scope.close(run.attachment, Exit.void).pipe(
          Effect.zipRight(Scope.close(run.lease, Exit.void)),
          Effect.zipRight(Ref.get(run.leftovers))
        )

      return {
        names: pipeline.names,
        provision: ({ spec }, of) => whole(Effect.provide(pipeline.provision(spec, of), host)),
        destroy: ({ made, spec }) =>
          Effect.zipWith(
            pipeline.destroy(spec),
            standard.destroy(spec, (name) => retired(name) && made.includes(name)),
            (own, others) => messages([...own, ...others])
          ).pipe(Effect.provide(host)),
        start: (record, step) =>
          Effect.gen(function*() {
            const run = yield* open(record)
            yield* retire(record).pipe(
              Effect.flatMap(([left]) => left === undefined ? build(record, run, "create", step) : Effect.fail<Failure>({ _tag: "NotClean", message: `its slot still holds another run's: ${left}` })),
              Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : stop(run)),
              whole,
              Effect.catchAll((failure) =>
                Effect.flatMap(Ref.get(run.leftovers), (leftovers) => new RunFailed({ failure, leftovers }))
              )
            )
            return run
          }),
        adopt: (record) =>
          Effect.gen(function*() {
            const run = yield* open(record)
            yield* build(record, run, "adopt", (_, work) => work).pipe(
              Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(run.attachment, exit)),
              whole
            )
            return run
          }),
        adjust: ({ spec, taken }) => whole(Effect.provide(pipeline.adjust(spec, (name) => taken.includes(name)), host)),
        stop,
        reclaim: (record) =>
          Effect.zipWith(Effect.provide(pipeline.reclaim(record.spec), host), retire(record), (own, others) => [...messages(own), ...others]),
        objects: ({ spec, taken }) => {
          const has: Choice = (name) => taken.includes(name)
          return [...pipeline.objects(spec, has), ...standard.objects(spec, (name) => retired(name) && has(name))]
        },
        strangers: ({ made }) => made.filter((name) => !known.has(name)),
        checks: pipeline.checks.map((check) => ({ ...check, run: Effect.provide(check.run, host) }))
      }
    }))
}
