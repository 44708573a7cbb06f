import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability } from "../capability.ts"
import { Firecracker } from "../firecracker/contract.ts"
import { Clocks, GuestClock } from "./contract.ts"

/** An attachment alone: the daemon sees the host's clock, so one that comes back sets the guests' anew. */
export const clock: Capability<GuestClock, never, Clocks | Firecracker, never> = {
  name: "clock",
  layer: ({ id }: VmSpec) =>
    Layer.scoped(GuestClock, Effect.gen(function*() {
      yield* Firecracker // it runs
      const clocks = yield* Clocks
      yield* clocks.attach(id)
      return { follow: clocks.follow(id) }
    })),
  reclaim: () => Effect.void,
  checks: []
}
