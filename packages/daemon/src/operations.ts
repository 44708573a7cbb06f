import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"

interface Running<Doing, Event, E> {
  readonly doing: Doing
  readonly feed: PubSub.PubSub<Take.Take<Event, E>>
}

/** What is worked on, by its key and as people call it. */
export interface Subject<Key> {
  readonly id: Key
  readonly name: string
}

/** The work itself, which tells its watchers what it does. */
export type Work<Event, E> = (emit: (event: Event) => Effect.Effect<void>) => Effect.Effect<void, E>

export interface Operations<Key, Doing, Event, E, Busy> {
  /** Has begun, or joined, when this returns; the stream tells everything from the first event on. */
  readonly run: (subject: Subject<Key>, doing: Doing, work: Work<Event, E>) => Effect.Effect<Stream.Stream<Event, E>, Busy>
  /** The same without a watcher: waits until the subject is free, and returns once the work has begun. */
  readonly begin: (subject: Subject<Key>, doing: Doing, work: Work<Event, E>) => Effect.Effect<void>
  readonly doing: (id: Key) => Doing | undefined
}

/** Events that a late watcher is told again; an operation has a dozen, and a few more a second while it downloads. */
const REPLAY = 256

/**
 * Work that outlives the client that asked for it, at most one piece a subject. Asking for what is already being done
 * joins it; asking for something else is refused at once, so operations on one subject never queue and those on
 * different ones never meet.
 */
export const makeOperations = <Key extends string, Doing extends string, Event, E, Busy>(
  busy: (name: string, doing: Doing) => Busy
): Effect.Effect<Operations<Key, Doing, Event, E, Busy>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const fibers = yield* FiberMap.make<Key>()
    const running = new Map<Key, Running<Doing, Event, E>>()

    // Uninterruptible: nothing must be left busy with work that was never begun.
    const start = ({ id }: Subject<Key>, doing: Doing, work: Work<Event, E>) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const feed = yield* PubSub.unbounded<Take.Take<Event, E>>({ replay: REPLAY })
        const operation: Running<Doing, Event, E> = { doing, feed }
        running.set(id, operation)
        yield* FiberMap.run(
          fibers,
          id,
          work((event) => Effect.asVoid(PubSub.publish(feed, Take.of(event)))).pipe(
            Effect.onExit((exit) =>
              Effect.suspend(() => {
                // Before the end is told: whoever hears it may ask for the next operation at once.
                running.delete(id)
                return PubSub.publish(feed, Exit.isSuccess(exit) ? Take.end : Take.failCause(exit.cause))
              })
            ),
            // Nobody may be watching.
            Effect.tapErrorCause((cause) => Effect.logWarning("failed", cause)),
            Effect.annotateLogs({ subject: id, doing }),
            Effect.exit
          )
        )
        return operation
      }))

    const watch = ({ feed }: Running<Doing, Event, E>) => Stream.flattenTake(Stream.fromPubSub(feed))

    return {
      run: (subject, doing, work) =>
        Effect.gen(function*() {
          const current = running.get(subject.id)
          if (current !== undefined && current.doing !== doing) return yield* Effect.fail(busy(subject.name, current.doing))
          return watch(current ?? (yield* start(subject, doing, work)))
        }),
      begin: (subject, doing, work) =>
        Effect.gen(function*() {
          for (let current = running.get(subject.id); current !== undefined; current = running.get(subject.id)) {
            yield* Effect.exit(Stream.runDrain(watch(current)))
          }
          yield* start(subject, doing, work)
        }),
      doing: (id) => running.get(id)?.doing
    }
  })
