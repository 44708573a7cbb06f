import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** The clock of a test, and a time of day beside it that the test sets: what sleeps goes on as before, as on a host. */
export const steppedClock = Effect.map(Effect.clock, (clock) => {
  const wall = { offset: 0 }
  const stepped: Clock.Clock = Object.create(clock, { currentTimeMillis: { value: Effect.map(clock.currentTimeMillis, (now) => now + wall.offset) } })
  return { clock: stepped, wall }
})
