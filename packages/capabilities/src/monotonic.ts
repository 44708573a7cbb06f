import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** Milliseconds, of use only to be compared: `Clock.currentTimeMillis` steps when the host's clock is set, or the host slept. */
export const monotonicMillis: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/** Ends a schedule so long after it began. Not `Schedule.upTo`, which counts the wall clock's time. */
export const within = (limit: Duration.DurationInput) => <Out, In, R>(schedule: Schedule.Schedule<Out, In, R>): Schedule.Schedule<Out, In, R> =>
  Schedule.zipLeft(
    schedule,
    Schedule.forever.pipe(
      Schedule.reduceEffect(undefined as number | undefined, (began) => began === undefined ? monotonicMillis : Effect.succeed(began)),
      Schedule.whileOutputEffect((began) => Effect.map(monotonicMillis, (now) => began === undefined || now - began < Duration.toMillis(limit)))
    )
  )
