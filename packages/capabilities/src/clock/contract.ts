import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { VmId } from "@banger/domain/ids.ts"

/** The guest's clock goes with the host's. `follow` sets it once more: for a VM that was paused. */
export class GuestClock extends Context.Tag("@banger/capabilities/clock/GuestClock")<GuestClock, {
  readonly follow: Effect.Effect<void>
}>() {}

/** Host service: the clocks of the guests that run, which follow the host's when it sleeps or its clock is set. */
export class Clocks extends Context.Tag("@banger/capabilities/clock/Clocks")<Clocks, {
  /** Sets a guest's clock now, and for as long as the scope lives whenever the host's has jumped. */
  readonly attach: (vm: VmId) => Effect.Effect<void, never, Scope.Scope>
  /** Sets the clock of one that is attached once more: it was paused. One that does not answer is asked until it does. */
  readonly follow: (vm: VmId) => Effect.Effect<void>
}>() {}
