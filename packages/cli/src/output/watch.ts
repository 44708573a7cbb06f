import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Progress } from "@banger/domain/progress.ts"
import { lines } from "../command-line/json.ts"
import { live, wantsParts } from "./progress.ts"
import { print, printJson } from "./text.ts"

type Finished = Extract<Progress, { readonly _tag: "Finished" }>

export const EVENTS = lines("event of a VM", Progress)

/** Watches a VM being created: progress on stderr and the result on stdout, or every event as JSON on stdout. */
export const watch = <E, R>(events: Stream.Stream<Progress, E, R>, how: { readonly json: boolean; readonly verbose: boolean }, result: (finished: Finished) => string) =>
  Effect.scoped(Effect.gen(function*() {
    if (how.json) return yield* Stream.runForEach(events, (event) => printJson(EVENTS, event))
    const progress = yield* live("creating a VM", wantsParts(how.verbose))
    yield* Stream.runForEach(events, (event) => {
      progress.event(event)
      if (event._tag !== "Finished") return Effect.void
      progress.ready(event.vm.name)
      return print(`${result(event)}\n`)
    })
  }))
