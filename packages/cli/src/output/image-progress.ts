import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Stream from "effect/Stream"
import type { ImageName } from "@banger/domain/ids.ts"
import { ImageProgress } from "@banger/domain/progress.ts"
import { lines } from "../command-line/json.ts"
import { Daemon } from "../daemon/daemon.ts"
import { showFile, type Sink } from "./log-file.ts"
import { type Live, live, wantsParts } from "./progress.ts"
import { printJson, say, write } from "./text.ts"
import { transfers } from "./transfer.ts"

export const IMAGE_EVENTS = lines("event of an image", ImageProgress)

const NAMES = { read: "reading", fetch: "fetching", write: "writing" } as const

const stderr = (): Sink => ({ terminal: process.stderr.isTTY === true, write: (bytes) => write(process.stderr, bytes) })

/** How an image is watched: as JSON, or with a line for each part also on a terminal. */
export interface Shown {
  readonly json: boolean
  readonly verbose: boolean
}

/** Watches an image being made: what is done on stderr, with a script's output, and the result there or on stdout. */
export const showImage = <E, R>(name: ImageName, events: Stream.Stream<ImageProgress, E, R>, verbose: boolean, result: NodeJS.WriteStream): Effect.Effect<void, E, R> => {
  const watching = ({ begun, doing, end, phase, timed }: Live, ended: Deferred.Deferred<void>, logs: FiberSet.FiberSet) => {
    let moving = ""
    let moved = transfers()
    return Stream.runForEach(events, (event): Effect.Effect<void> => {
      switch (event._tag) {
        case "Phase": {
          const what = NAMES[event.phase]
          if (moving !== what) moved = transfers()
          moving = what
          const text = moved(event.done, event.total)
          doing(() => `${what} ${text()}`)
          return Effect.void
        }
        case "Begun":
          begun(event.step)
          return Effect.void
        case "Step":
          phase(event.step, event.ms)
          return Effect.void
        case "Log":
          // A log that cannot be shown is no reason to leave the image.
          return Effect.asVoid(FiberSet.run(logs, Effect.ignore(showFile(event.path, { follow: Deferred.await(ended), tail: undefined, to: stderr() }))))
        case "Made":
          end()
          return write(result, `${timed(event.message, result)}\n`)
      }
    })
  }
  return Effect.scoped(Effect.gen(function*() {
    const ended = yield* Deferred.make<void>()
    const logs = yield* FiberSet.make()
    const progress = yield* live(`making ${name}`, wantsParts(verbose))
    // What the script printed last is shown before anything else is said.
    const drained = Effect.zipRight(Deferred.succeed(ended, undefined), FiberSet.awaitEmpty(logs))
    yield* watching(progress, ended, logs).pipe(Effect.tapErrorCause(() => drained), Effect.ensuring(Effect.sync(progress.end)))
    yield* drained
  }))
}

/** The same for a command whose result the image is: on stdout, or every event as JSON. */
export const watchImage = <E, R>(name: ImageName, events: Stream.Stream<ImageProgress, E, R>, { json, verbose }: Shown): Effect.Effect<void, E, R> =>
  json ? Stream.runForEach(events, (event) => printJson(IMAGE_EVENTS, event)) : showImage(name, events, verbose, process.stdout)

/** A client that is interrupted ends the work, unless somebody else watches it. */
export const orCancel = <A, E, R>(name: ImageName, watching: Effect.Effect<A, E, R>) =>
  Effect.onInterrupt(watching, () =>
    Effect.flatMap(Daemon, (daemon) => daemon.image.Cancel({ name })).pipe(
      Effect.timeout("5 seconds"),
      Effect.matchEffect({
        onFailure: () => say(`${name} is still being made: the same command watches it again`),
        onSuccess: (ended) => say(ended ? `${name} is not made: cancelled; what was fetched is kept` : `${name} is still being made: somebody else watches it`)
      })
    ))
