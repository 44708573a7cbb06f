import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { ImageName } from "@banger/domain/ids.ts"
import { ImageProgress } from "@banger/domain/progress.ts"
import { Daemon } from "../daemon/daemon.ts"
import { showFile } from "./log-file.ts"
import { dim } from "./style.ts"
import { print, say, write } from "./text.ts"
import { size } from "@banger/domain/size.ts"
import { span, took } from "./units.ts"

export const IMAGE_EVENT_FIELDS: ReadonlyArray<string> = [
  "one object a line, as it happens; _tag says which:",
  "Phase {phase, done, total} (bytes)   Step {step, ms}   Log {path}: output of a script",
  "Made {image, message}   always the last",
  "image has the fields that `banger image show --json` has"
]

type Phase = Extract<ImageProgress, { readonly _tag: "Phase" }>

const NAMES = { fetch: "fetching", write: "writing" } as const

/** `fetching 120 MiB of 300 MiB, 40 MiB/s, 5s left`; what is left is guessed from what was done so far. */
export const phaseLine = ({ done, phase, total }: Phase, ms: number): string => {
  const rate = ms === 0 ? 0 : done / ms
  const left = rate === 0 ? "" : `, ${size(rate * 1000)}/s, ${span((total - done) / rate)} left`
  return `${NAMES[phase]} ${size(done)} of ${size(total)}${left}`
}

/** Watches an image being made: phases and a script's output on stderr, and the result there or on stdout. */
export const showImage = <E, R>(events: Stream.Stream<ImageProgress, E, R>, result: NodeJS.WriteStream): Effect.Effect<void, E, R> => {
  const terminal = process.stderr.isTTY === true
  const clear = () => terminal && process.stderr.write("\r\x1b[K")
  let phase = ""
  let since = performance.now()
  const watching = (ended: Deferred.Deferred<void>, logs: FiberSet.FiberSet) => Stream.runForEach(events, (event): Effect.Effect<void> => {
    switch (event._tag) {
      case "Phase":
        if (phase !== event.phase) since = performance.now()
        phase = event.phase
        if (terminal) process.stderr.write(`\r\x1b[K${dim(phaseLine(event, performance.now() - since), process.stderr)}`)
        return Effect.void
      case "Step":
        clear()
        process.stderr.write(`  ${event.step.padEnd(28)} ${dim(took(event.ms), process.stderr)}\n`)
        return Effect.void
      case "Log":
        clear()
        // A log that cannot be shown is no reason to leave the image.
        return Effect.asVoid(FiberSet.run(logs, Effect.ignore(showFile(event.path, { follow: Deferred.await(ended), tail: undefined, to: process.stderr }))))
      case "Made":
        clear()
        return write(result, `${event.message}\n`)
    }
  })
  return Effect.scoped(Effect.gen(function*() {
    const ended = yield* Deferred.make<void>()
    const logs = yield* FiberSet.make()
    // What the script printed last is shown before anything else is said.
    const drained = Effect.zipRight(Deferred.succeed(ended, undefined), FiberSet.awaitEmpty(logs))
    yield* watching(ended, logs).pipe(Effect.tapErrorCause(() => drained), Effect.ensuring(Effect.sync(clear)))
    yield* drained
  }))
}

/** The same for a command whose result the image is: on stdout, or every event as JSON. */
export const watchImage = <E, R>(events: Stream.Stream<ImageProgress, E, R>, asJson: boolean): Effect.Effect<void, E, R> =>
  asJson ? Stream.runForEach(events, (event) => print(`${JSON.stringify(Schema.encodeSync(ImageProgress)(event))}\n`)) : showImage(events, process.stdout)

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
