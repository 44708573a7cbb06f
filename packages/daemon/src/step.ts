import type { PartProgress } from "@banger/domain/progress.ts"
import * as Effect from "effect/Effect"

/** Around a part of some work. */
export type Step = <A, E, R>(step: string, work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Tells watchers that the part begins and, once it is done, how long it took. */
export const stepOf = (emit: (event: PartProgress) => Effect.Effect<void>): Step => (step, work) =>
  Effect.gen(function*() {
    yield* emit({ _tag: "Begun", step })
    const began = performance.now()
    const result = yield* work
    yield* emit({ _tag: "Step", step, ms: performance.now() - began })
    return result
  })
