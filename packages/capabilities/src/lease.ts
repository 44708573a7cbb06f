import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { monotonicMillis, within } from "./monotonic.ts"

/** A host object of a VM that still stands although it was to go. */
export class CannotRemove extends Schema.TaggedError<CannotRemove>()("CannotRemove", {
  what: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.what}: ${this.problem}`
  }
}

/** A flaw in a removal is a leftover like any other: what it leaves must not be taken for gone. */
export const definite = <R>(what: string, removal: Effect.Effect<void, CannotRemove, R>): Effect.Effect<void, CannotRemove, R> =>
  Effect.catchAllDefect(removal, (defect) => new CannotRemove({ what, problem: `unexpected: ${String(defect)}` }))

/** Adoption met a VM of which this part is gone. */
export class NotAdoptable extends Schema.TaggedError<NotAdoptable>()("NotAdoptable", { what: Schema.String }) {
  override get message() {
    return `${this.what} is gone`
  }
}

/**
 * A VM's run, from start to stop: the scope that gives back what was taken for it. The daemon's exit drops it without
 * closing it, so VMs outlive the daemon.
 */
export class Lease extends Context.Tag("@banger/capabilities/Lease")<Lease, {
  readonly scope: Scope.CloseableScope
  readonly mode: "create" | "adopt"
  /** In adoption: the capabilities that the run began with. What came into the list since is no reason to give it up. */
  readonly taken: ReadonlySet<string>
  /** What could not be undone; a lease that closed with any leaves a `broken` VM. */
  readonly leftovers: Ref.Ref<ReadonlyArray<string>>
  /** Around the work that puts a part in place: tells that it begins, and how long it took. */
  readonly step: <A, E, R>(what: string, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}>() {}

/**
 * One host object of a VM's lease. `find` says whether it stands, whole, and is asked in adoption; `create` makes it, also
 * from a half-made one, and leaves a whole one as it is; `remove` succeeds when it is already gone and returns only when
 * it is gone.
 */
export interface Held<A, E, R, H> {
  readonly what: string
  readonly find: Effect.Effect<Option.Option<A>, E, R>
  readonly create: Effect.Effect<A, E, R>
  readonly remove: Effect.Effect<void, CannotRemove, H>
}

const adopted = <A, E, R, H>({ find, what }: Held<A, E, R, H>) =>
  Effect.flatMap(find, Option.match({ onNone: () => new NotAdoptable({ what }), onSome: Effect.succeed }))

/**
 * Registers `remove` first, then creates or finds: a half-done create, or one whose reply was lost, is undone like a
 * finished one, and a long create stays interruptible.
 */
export const leased = <A, E, R, H>(held: Held<A, E, R, H>): Effect.Effect<A, E | NotAdoptable, R | H | Lease> =>
  Effect.gen(function*() {
    const lease = yield* Lease
    const host = yield* Effect.context<H>()
    yield* Scope.addFinalizer(
      lease.scope,
      definite(held.what, held.remove).pipe(
        Effect.provide(host),
        Effect.catchAll((error) => Ref.update(lease.leftovers, (all) => [...all, error.message]))
      )
    )
    const work: Effect.Effect<A, E | NotAdoptable, R> = lease.mode === "create" ? held.create : adopted(held)
    return yield* lease.step(held.what, work)
  })

/** How long removals wait for a helper that is away, in milliseconds: a restart of it takes a few seconds at most. */
const AWAY = 30_000
const helperAway = Schedule.exponential("100 millis").pipe(
  Schedule.union(Schedule.spaced("2 seconds")),
  within(AWAY)
)

/** Of one outage: the removals of a run come one after the other, and the second need not wait for what the first has waited for. */
const mayReturn = (error: unknown) =>
  Effect.map(monotonicMillis, (now) => error instanceof HelperUnreachable && now - (error.since ?? now) < AWAY)

/** A removal by the helper: waits while it is away, then says what stays and why. */
export const removing = <E extends { readonly message: string }, R>(
  what: string,
  call: Effect.Effect<unknown, E | HelperUnreachable, R>
): Effect.Effect<void, CannotRemove, R> =>
  call.pipe(
    Effect.retry({ schedule: helperAway, while: mayReturn }),
    Effect.mapError((error) => new CannotRemove({ what, problem: error.message })),
    Effect.asVoid
  )
