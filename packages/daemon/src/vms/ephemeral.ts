import { isAlive } from "@banger/capabilities/firecracker/process.ts"
import { within } from "@banger/capabilities/monotonic.ts"
import type { VmError } from "@banger/domain/errors.ts"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Lifecycle } from "./lifecycle.ts"
import { Operations } from "./operations.ts"
import { type Cell, Registry } from "./registry.ts"

/** A process closes its sockets a moment before it is gone; one that still lives after this only lost its connection. */
const GOING = Schedule.exponential("20 millis").pipe(within("5 seconds"))

/**
 * The other end of the stream that the CLI of `vm run --rm` holds open: when it breaks and that process is really gone,
 * the VM goes. A CLI that lives reconnects, and a restart of the daemon looks at the process itself (recovery.ts).
 */
export const makeHold = Effect.gen(function*() {
  const lifecycle = yield* Lifecycle
  const operations = yield* Operations
  const registry = yield* Registry
  const daemon = yield* Effect.scope

  const released = (cell: Cell) =>
    Effect.gen(function*() {
      const { ephemeral, spec } = cell.record
      if (ephemeral === null) return
      const gone = yield* Effect.suspend(() => isAlive(ephemeral) ? Effect.fail("alive" as const) : Effect.void).pipe(
        Effect.retry(GOING),
        Effect.isSuccess
      )
      if (!gone || !registry.cells().includes(cell)) return
      // Whatever else is being done to it ends, however long that takes; then it goes.
      yield* operations.begin(spec, "deleted", (emit) => Effect.suspend(() => registry.cells().includes(cell) ? lifecycle.remove(cell, true, emit) : Effect.void))
    })

  return (cell: Cell): Stream.Stream<never, VmError> =>
    // Interruptible, though it is begun in a finalizer: a daemon that ends waits for none of these.
    Stream.ensuring(Stream.never, Effect.forkIn(Effect.interruptible(released(cell)), daemon))
})
