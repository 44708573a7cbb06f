import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ImageProgress } from "@banger/domain/progress.ts"
import { dim } from "./style.ts"
import { print } from "./text.ts"
import { size, span, took } from "./units.ts"

export const IMAGE_EVENT_FIELDS: ReadonlyArray<string> = [
  "one object a line, as it happens; _tag says which:",
  "Phase {phase, done, total} (bytes)   Step {step, ms}   Made {image, message}   always the last",
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

/** Watches an image being made: phases on stderr, alive on a terminal, and the result on stdout; or every event as JSON on stdout. */
export const watchImage = <E, R>(events: Stream.Stream<ImageProgress, E, R>, asJson: boolean) => {
  if (asJson) return Stream.runForEach(events, (event) => print(`${JSON.stringify(Schema.encodeSync(ImageProgress)(event))}\n`))
  const terminal = process.stderr.isTTY === true
  const clear = () => terminal && process.stderr.write("\r\x1b[K")
  let phase = ""
  let since = Date.now()
  return Stream.runForEach(events, (event) => {
    switch (event._tag) {
      case "Phase":
        if (phase !== event.phase) since = Date.now()
        phase = event.phase
        if (terminal) process.stderr.write(`\r\x1b[K${dim(phaseLine(event, Date.now() - since), process.stderr)}`)
        return Effect.void
      case "Step":
        clear()
        process.stderr.write(`  ${event.step.padEnd(28)} ${dim(took(event.ms), process.stderr)}\n`)
        return Effect.void
      case "Made":
        clear()
        return print(`${event.message}\n`)
    }
  }).pipe(Effect.ensuring(Effect.sync(clear)))
}
