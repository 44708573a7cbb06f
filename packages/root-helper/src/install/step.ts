import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** A part of an install, by the name that its time is printed with. Safe to repeat: an install that was killed is begun again. */
export interface Step<E> {
  readonly name: string
  readonly do: Effect.Effect<unknown, E>
}

const seconds = (duration: Duration.Duration) => `${(Duration.toMillis(duration) / 1000).toFixed(1)} s`

/** Takes the steps one after the other, each printed with its time, and stops at the first that fails. */
export const take = <E>(steps: ReadonlyArray<Step<E>>) =>
  Effect.forEach(steps, ({ name, do: act }) =>
    Effect.flatMap(Effect.timed(act), ([took]) => Console.error(`  ${name} ${seconds(took)}`)), { discard: true })
