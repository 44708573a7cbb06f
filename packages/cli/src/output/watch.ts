import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Progress } from "@banger/domain/progress.ts"
import { live, wantsParts } from "./progress.ts"
import { print } from "./text.ts"

type Finished = Extract<Progress, { readonly _tag: "Finished" }>

export const EVENT_FIELDS: ReadonlyArray<string> = [
  "one object a line, as it happens; _tag says which:",
  "Planned  {vm}            Step     {step, ms}",
  "Note     {message}       Finished {vm, message}   always the last",
  "vm has the fields that `banger vm list --json` has"
]

/** One event as a line of JSON. */
export const eventLine = (event: Progress): string => `${JSON.stringify(Schema.encodeSync(Progress)(event))}\n`

/** Watches a VM being created: progress on stderr and the result on stdout, or every event as JSON on stdout. */
export const watch = <E, R>(events: Stream.Stream<Progress, E, R>, how: { readonly json: boolean; readonly verbose: boolean }, result: (finished: Finished) => string) =>
  Effect.scoped(Effect.gen(function*() {
    if (how.json) return yield* Stream.runForEach(events, (event) => print(eventLine(event)))
    const progress = yield* live("creating a VM", wantsParts(how.verbose))
    yield* Stream.runForEach(events, (event) => {
      progress.event(event)
      if (event._tag !== "Finished") return Effect.void
      progress.ready(event.vm.name)
      return print(`${result(event)}\n`)
    })
  }))
