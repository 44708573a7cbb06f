import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { reaching } from "./helper.ts"
import { removing } from "./lease.ts"
import { within } from "./monotonic.ts"
import { steppedClock } from "./testing/stepped-clock.ts"

const HOUR = 3_600_000

describe("time limits", () => {
  for (const [way, offset] of [["forward", HOUR], ["back", -HOUR]] as const) {
    it.effect(`end what they bound in their time, also when the host's clock is set ${way} meanwhile`, () => Effect.gen(function*() {
      const { clock, wall } = yield* steppedClock
      let tries = 0
      const trying = yield* Effect.suspend(() => Effect.fail(tries += 1)).pipe(
        Effect.retry(Schedule.spaced("100 millis").pipe(within("2 seconds"))),
        Effect.ignore,
        Effect.withClock(clock),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      wall.offset = offset
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(tries, 16)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(tries, 21)
      yield* Fiber.join(trying)
    }))

    it.effect(`a removal waits for a helper that is away for 3 s, also when the host's clock is set ${way} meanwhile`, () => Effect.gen(function*() {
      const { clock, wall } = yield* steppedClock
      let back = false
      const { dm } = reaching({ dm: { Remove: () => Effect.suspend(() => back ? Effect.void : Effect.fail(new HelperUnreachable({ problem: "away" }))) } })
      const removal = yield* Effect.fork(removing("dm device", dm.Remove()).pipe(Effect.withClock(clock)))
      yield* TestClock.adjust("1 second")
      wall.offset = offset
      yield* TestClock.adjust("2 seconds")
      back = true
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(removal)
    }))
  }
})
