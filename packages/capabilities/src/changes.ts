import { watch } from "node:fs"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/** How often one looks where the kernel has no watch to give: the quota is shared by all of a user's programs. */
const LOOK = "1 second"

/**
 * The changes of a file that is there, as long as the scope is open; several since the last was taken are one. The file itself is watched,
 * not its directory as by `watched`. `unwatched` hears why there is no watch.
 */
export const changes = (
  path: string,
  unwatched: (problem: string) => Effect.Effect<void, never, Scope.Scope>,
  watching: typeof watch = watch
): Effect.Effect<Queue.Dequeue<void>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const queue = yield* Queue.sliding<void>(1)
    const changed = () => void queue.unsafeOffer(undefined)
    yield* Effect.acquireRelease(
      // A watch that is lost tells of no change any more.
      Effect.try(() => watching(path, changed).on("error", () => {})),
      (watcher) => Effect.sync(() => watcher.close())
    ).pipe(Effect.catchAll(({ cause }) =>
      Effect.zipRight(unwatched(String(cause)), Effect.forkScoped(Effect.repeat(Effect.sync(changed), Schedule.spaced(LOOK))))))
    return queue
  })
