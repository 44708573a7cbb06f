import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"

/** An event, or the end, numbered in the order in which they were told. */
interface Told<Event, E> {
  readonly number: number
  readonly take: Take.Take<Event, E>
}

interface Running<Doing, Event, E> {
  readonly doing: Doing
  /** What a watcher who comes late is told first. */
  readonly told: Array<Told<Event, E> & { readonly passing: boolean }>
  readonly feed: PubSub.PubSub<Told<Event, E>>
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

interface Options<Doing extends string, Event, Busy> {
  readonly busy: (name: string, doing: Doing) => Busy
  /** Events that the next one of their kind makes worthless, such as a count of bytes: a late watcher is told the newest only. */
  readonly passing: (event: Event) => boolean
}

/**
 * Work that outlives the client that asked for it, at most one piece a subject. Asking for what is already being done
 * joins it; asking for something else is refused at once, so operations on one subject never queue and those on
 * different ones never meet.
 */
export const makeOperations = <Key extends string, Doing extends string, Event, E, Busy>(
  { busy, passing }: Options<Doing, Event, Busy>
): Effect.Effect<Operations<Key, Doing, Event, E, Busy>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const daemon = yield* Effect.scope
    const running = new Map<Key, Running<Doing, Event, E>>()

    const tell = ({ feed, told }: Running<Doing, Event, E>, take: Take.Take<Event, E>, isPassing: boolean) =>
      Effect.suspend(() => {
        const last = told.at(-1)
        const next = { number: (last?.number ?? 0) + 1, take, passing: isPassing }
        if (isPassing && last?.passing === true) told.pop()
        told.push(next)
        return PubSub.publish(feed, next)
      })

    /** Forks the work of an operation that stands in `running` already. */
    const start = (operation: Running<Doing, Event, E>, { id }: Subject<Key>, work: Work<Event, E>) =>
      work((event) => Effect.asVoid(tell(operation, Take.of(event), passing(event)))).pipe(
        Effect.onExit((exit) =>
          Effect.suspend(() => {
            // Before the end is told: whoever hears it may ask for the next operation at once.
            running.delete(id)
            return tell(operation, Exit.isSuccess(exit) ? Take.end : Take.failCause(exit.cause), false)
          })
        ),
        // Nobody may be watching.
        Effect.tapErrorCause((cause) => Effect.logWarning("failed", cause)),
        Effect.annotateLogs({ subject: id, doing: operation.doing }),
        Effect.exit,
        Effect.interruptible,
        Effect.forkIn(daemon)
      )

    const watch = ({ feed, told }: Running<Doing, Event, E>) =>
      Stream.unwrapScoped(Effect.gen(function*() {
        // Subscribed before the past is read: an event between the two is in both, and told once.
        const queue = yield* PubSub.subscribe(feed)
        const past = [...told]
        const last = past.at(-1)?.number ?? 0
        return Stream.concat(Stream.fromIterable(past), Stream.filter(Stream.fromQueue(queue), ({ number }) => number > last))
      })).pipe(Stream.map(({ take }) => take), Stream.flattenTake)

    // Uninterruptible: nothing must be left busy with work that was never begun.
    const enter = (subject: Subject<Key>, doing: Doing, work: Work<Event, E>) =>
      Effect.uninterruptible(Effect.gen(function*() {
        const own: Running<Doing, Event, E> = { doing, told: [], feed: yield* PubSub.unbounded<Told<Event, E>>() }
        // Looked up and taken in one step of the event loop: an effect between the two would let another request in.
        const standing = yield* Effect.sync(() => {
          const other = running.get(subject.id)
          if (other === undefined) running.set(subject.id, own)
          return other
        })
        if (standing === undefined) yield* start(own, subject, work)
        return { operation: standing ?? own, begun: standing === undefined }
      }))

    const begin = (subject: Subject<Key>, doing: Doing, work: Work<Event, E>): Effect.Effect<void> =>
      Effect.flatMap(enter(subject, doing, work), ({ begun, operation }) =>
        begun ? Effect.void : Effect.zipRight(Effect.exit(Stream.runDrain(watch(operation))), Effect.suspend(() => begin(subject, doing, work))))

    return {
      run: (subject, doing, work) =>
        Effect.flatMap(enter(subject, doing, work), ({ operation }) =>
          operation.doing === doing ? Effect.succeed(watch(operation)) : Effect.fail(busy(subject.name, operation.doing))),
      begin,
      doing: (id) => running.get(id)?.doing
    }
  })
