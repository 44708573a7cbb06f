import { Clocks } from "@banger/capabilities/clock/contract.ts"
import { degraded, dispensable, restored } from "@banger/capabilities/degraded.ts"
import type { FileFailed } from "@banger/capabilities/files.ts"
import { FirecrackerApi } from "@banger/capabilities/firecracker/contract.ts"
import { pause, resume } from "@banger/capabilities/firecracker/pause.ts"
import { Helper } from "@banger/capabilities/helper.ts"
import { monotonicMillis } from "@banger/capabilities/monotonic.ts"
import { hostValues } from "@banger/domain/host-config.ts"
import { size } from "@banger/domain/size.ts"
import * as Effect from "effect/Effect"
import { HostFacts } from "../host-facts.ts"
import { Lifecycle } from "./lifecycle.ts"
import { Operations } from "./operations.ts"
import { type Cell, Registry } from "./registry.ts"

/** Bytes beyond the reserve at which VMs go on, so that what they write does not pause them again at once. */
const SLACK = 256 * 2 ** 20

/** Free bytes beyond the reserve below which one looks more often, and what guests wrote is not left in memory: it wants room, too. */
const NEAR = 2 ** 30

/** The kernel tells nobody that a disk fills up, so this is polled: one statfs. No disk takes what lies between two looks. */
const lookEvery = (near: boolean) => near ? "250 millis" : "1 second"

/** Milliseconds. A root disk may be lost for other reasons, too: a host's disk that fails. */
const flushEvery = (near: boolean) => near ? 2_000 : 60_000

/** Why a VM is paused. A record says what the VM waits for, not how much is free: the figure of a moment ago would be wrong while somebody makes room. */
export const nearlyFull = (reserve: number) => `the host's disk is nearly full, and it goes on when ${size(reserve + SLACK)} are free`

const WATCH = "keeping VMs from a full disk"

const LOST = "its root disk is lost: the host's disk was full, or failed, while it wrote"

/**
 * Keeps running VMs from a full disk, whoever fills it: they are paused when the reserve is reached, and go on when there
 * is room. A VM that another operation works on is looked at again when that has ended.
 */
export const makeRoom = (freeBytes: Effect.Effect<number, FileFailed>) => Effect.gen(function*() {
  const api = yield* FirecrackerApi
  const clocks = yield* Clocks
  const facts = yield* HostFacts
  const daemon = yield* Effect.scope
  const helper = yield* Helper
  const lifecycle = yield* Lifecycle
  const operations = yield* Operations
  const registry = yield* Registry

  const change = (from: "running" | "paused", reason: string) => {
    const [act, to] = from === "running" ? [pause, "paused"] as const : [resume, "running"] as const
    const done = (cell: Cell) =>
      Effect.zipRight(act(cell.record.spec.id), registry.note(cell, { state: to, reason })).pipe(
        // A guest's clock stands still while it is paused.
        Effect.tap(() => to === "running" ? Effect.forkIn(clocks.follow(cell.record.spec.id), daemon) : Effect.void),
        Effect.provideService(FirecrackerApi, api),
        // Said once, and tried again at the next look.
        Effect.catchAll(({ message }) => {
          const stuck = `cannot become ${to}: ${message}`
          return cell.record.reason === stuck ? Effect.void : registry.note(cell, { state: from, reason: stuck })
        })
      )
    return Effect.forEach(registry.cells().filter(({ record }) => record.state === from), (cell) =>
      operations.run(cell.record.spec, to === "paused" ? "paused" : "resumed", () => Effect.suspend(() => cell.record.state === from ? done(cell) : Effect.void)).pipe(
        Effect.catchTag("VmBusy", () => Effect.void)
      ), { discard: true })
  }

  let flushed = -Infinity
  let flushing = false
  /** Beside the looks, which must not wait until gigabytes are written out. */
  const flush = Effect.gen(function*() {
    flushing = true
    for (const vm of yield* helper.dm.Flush()) {
      const cell = registry.cells().find(({ record }) => record.spec.id === vm)
      if (cell !== undefined && operations.doing(vm) === undefined) {
        yield* operations.begin(cell.record.spec, "cleaned up", () => cell.run === undefined ? Effect.void : lifecycle.settle(cell, "crashed", LOST))
      }
    }
  }).pipe(
    dispensable("looking for lost root disks"),
    Effect.ensuring(Effect.map(monotonicMillis, (now) => {
      flushing = false
      flushed = now
    })),
    Effect.forkScoped
  )

  /** Bytes. A helper that is away leaves no VM unprotected: until it says what root has set, what counts where nobody has set anything. */
  let reserve = hostValues({}).reserveBytes
  yield* Effect.forkScoped(Effect.map(facts.helper, ({ reserveBytes }) => void (reserve = reserveBytes)))

  const look = Effect.gen(function*() {
    const free = yield* freeBytes
    const near = free < reserve + NEAR
    const now = yield* monotonicMillis
    if (free < reserve) yield* change("running", nearlyFull(reserve))
    if (free >= reserve + SLACK) yield* change("paused", "")
    if (!flushing && now - flushed >= flushEvery(near)) yield* flush
    yield* Effect.sleep(lookEvery(near))
  })

  const up = () => registry.cells().some(({ record }) => record.state === "running" || record.state === "paused")
  yield* Effect.suspend(() => up() ? look : Effect.sleep("1 second")).pipe(
    Effect.zipRight(restored(WATCH)),
    Effect.catchAll((error) => Effect.zipRight(degraded(WATCH, { problem: error.message, fix: "journalctl -u bangerd" }), Effect.sleep("5 seconds"))),
    Effect.forever,
    Effect.forkScoped
  )
})
