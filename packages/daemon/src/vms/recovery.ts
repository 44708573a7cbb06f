import { dispensable } from "@banger/capabilities/degraded.ts"
import { Dns } from "@banger/capabilities/dns/contract.ts"
import { dns as names, published } from "@banger/capabilities/dns/live.ts"
import { isAlive } from "@banger/capabilities/firecracker/process.ts"
import { FirecrackerApi } from "@banger/capabilities/firecracker/contract.ts"
import { isPaused } from "@banger/capabilities/firecracker/pause.ts"
import { readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { parseExit } from "@banger/capabilities/firecracker/exit.ts"
import { exitFile } from "@banger/capabilities/paths.ts"
import type { VmError } from "@banger/domain/errors.ts"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { HostFacts } from "../host-facts.ts"
import { Pool } from "../pool.ts"
import { SSH_FILES, SshFiles } from "./ssh-files.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Operations } from "./operations.ts"
import { type Cell, Registry } from "./registry.ts"
import { nearlyFull } from "./room.ts"
import { VmRuntime } from "./runtime.ts"

/** How often a capability that cannot say whether its part stands is asked again at once, when the daemon boots. */
const ASK_AGAIN = Schedule.exponential("200 millis")
const TIMES = 6

/** After that the VM is free for other operations, and looked for again from time to time, once each. */
const LOOK_AGAIN = "15 seconds"

/** How a VM that is gone ended while no daemon looked: as it was asked to, or as its unit left word. */
const endOf = ({ record }: Cell) =>
  record.state === "stopping"
    ? Effect.succeed({ clean: true, reason: "" })
    : Effect.try(() => parseExit(readFileSync(exitFile(record.spec.id), "utf8"))).pipe(
      Effect.orElseSucceed(() => ({ clean: false, reason: "it ended while the daemon was away" }))
    )

/**
 * Boot of the daemon: every VM that ran is found again through the pipeline in adopt mode; what was half-made or
 * half-gone is given back. A "trying" in a record is never believed, and a running VM is only given up when a part of
 * it is gone for certain.
 */
export const recovery = Effect.gen(function*() {
  const api = yield* FirecrackerApi
  const facts = yield* HostFacts
  const registry = yield* Registry
  const runtime = yield* VmRuntime
  const lifecycle = yield* Lifecycle
  const operations = yield* Operations
  const sshFiles = yield* SshFiles
  const pool = yield* Pool
  const dns = yield* Dns
  const daemon = yield* Effect.scope
  // The first of all that ends with the daemon: a look-up that comes later waits for the next one, and is not told that a VM is gone.
  yield* Effect.addFinalizer(() => dns.close)

  const adopt = (cell: Cell, times: number): Effect.Effect<void, VmError> =>
    Effect.zipRight(registry.note(cell, { made: Array.union(cell.record.made, runtime.names) }), Effect.suspend(() => runtime.adopt(cell.record))).pipe(
      Effect.retry({ schedule: ASK_AGAIN, times, while: (failure) => failure._tag !== "NotAdoptable" }),
      Effect.matchEffect({
        onSuccess: (run) =>
          Effect.zipRight(lifecycle.attach(cell, run), Effect.flatMap(stateOf(cell), (found) => registry.note(cell, { ...found, taken: Array.union(cell.record.taken, runtime.names) }))),
        onFailure: (failure): Effect.Effect<void, VmError> =>
          failure._tag === "NotAdoptable"
            ? Effect.flatMap(endOf(cell), ({ clean, reason }) => lifecycle.settle(cell, clean ? "stopped" : "crashed", reason))
            // Not known to be gone, so not touched: it may well run on.
            : Effect.zipRight(lost(cell, `cannot be found again: ${failure.message}`), Effect.forkIn(adoptLater(cell), daemon))
      })
    )

  /** What Firecracker says, since a daemon may have ended between the act and the record; a paused VM goes on when there is room (room.ts). */
  const stateOf = (cell: Cell) =>
    Effect.zipWith(
      facts.helper,
      isPaused(cell.record.spec.id).pipe(
        Effect.provideService(FirecrackerApi, api),
        Effect.orElseSucceed(() => cell.record.state === "paused")
      ),
      ({ reserveBytes }, paused) => paused ? { state: "paused" as const, reason: nearlyFull(reserveBytes) } : { state: "running" as const, reason: "" }
    )

  const lost = (cell: Cell, reason: string) => {
    const state = cell.record.state === "paused" ? "paused" : "running"
    return cell.record.state === state && cell.record.reason === reason ? Effect.void : registry.note(cell, { state, reason })
  }

  /** Unless the VM was stopped or deleted meanwhile. */
  const adoptLater = (cell: Cell) =>
    operations.begin(cell.record.spec, "recovered", () =>
      Effect.suspend(() => registry.cells().includes(cell) && cell.run === undefined && ["running", "paused"].includes(cell.record.state) ? adopt(cell, 0) : Effect.void)
    ).pipe(Effect.delay(LOOK_AGAIN))

  const recover = (cell: Cell): Effect.Effect<void, VmError> => {
    const { state } = cell.record
    // It may well run: the version that can read its record finds it again.
    if (cell.unreadable !== undefined) return Effect.void
    switch (state) {
      case "creating":
        return lifecycle.remove(cell, true, () => Effect.void)
      case "starting":
        return lifecycle.settle(cell, "stopped", "its start was interrupted")
      case "running":
      case "paused":
      case "stopping":
        return mayRun(cell) ? adopt(cell, TIMES) : lifecycle.settle(cell, "stopped", "host rebooted")
      case "broken":
        return lifecycle.settle(cell, "stopped", "")
      case "stopped":
      case "crashed":
        return Effect.void
    }
  }

  const orphaned = ({ record }: Cell) => record.ephemeral !== null && !isAlive(record.ephemeral)

  const mayRun = ({ record: { hostBoot, state }, unreadable }: Cell) =>
    unreadable === undefined && hostBoot === facts.bootId && ["running", "paused", "stopping"].includes(state)

  // To find a VM again takes longer than a guest waits for an answer. Until then its record says who it is; one that is gone is withdrawn as it is settled.
  yield* Effect.forEach(registry.cells().filter((cell) => mayRun(cell) && cell.record.taken.includes(names.name)), ({ record }) => dns.publish(published(record.spec)), { discard: true })

  // Whatever they did when the host went down, once each boot: what was stopped since stays stopped.
  const due = registry.cells().filter(({ record, unreadable }) => unreadable === undefined && record.autostart && record.hostBoot !== facts.bootId)
  const atATime = yield* Effect.makeSemaphore(availableParallelism())

  const startWithHost = (cell: Cell) =>
    operations.begin(cell.record.spec, "started", (emit) =>
      Effect.suspend(() => registry.cells().includes(cell) ? registry.note(cell, { hostBoot: facts.bootId }) : Effect.void).pipe(
        Effect.zipRight(atATime.withPermits(1)(Effect.suspend(() =>
          registry.cells().includes(cell) && ["stopped", "crashed"].includes(cell.record.state) ? lifecycle.start(cell, emit) : Effect.void)))
      ))

  let left = registry.cells().length
  const looked = Effect.suspend(() => --left <= 0 ? dns.complete : Effect.void)
  if (left === 0) yield* looked
  // Operations from the first moment: a request that comes meanwhile hears "being recovered".
  yield* Effect.forEach(registry.cells(), (cell) =>
    operations.begin(cell.record.spec, "recovered", () =>
      Effect.zipRight(facts.helper, recover(cell)).pipe(
        Effect.zipRight(Effect.suspend(() => orphaned(cell) && registry.cells().includes(cell) ? lifecycle.remove(cell, true, () => Effect.void) : Effect.void)),
        Effect.tapError((error) => Effect.logError(error.message)),
        Effect.ensuring(looked)
      )), { discard: true })
  // Each waits until its VM is recovered.
  yield* Effect.forEach(due, (cell) => Effect.forkScoped(startWithHost(cell)), { discard: true })
  yield* dispensable(SSH_FILES)(sshFiles.write)
  yield* Effect.forkScoped(Effect.zipRight(facts.helper, pool.refill))
})
