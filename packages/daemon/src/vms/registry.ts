import { degraded, restored } from "@banger/capabilities/degraded.ts"
import { VmAmbiguous, VmNotFound } from "@banger/domain/errors.ts"
import type { NameTaken, NoFreeAddress, StateUnwritable } from "@banger/domain/errors.ts"
import type { Slot, VmId, VmName, VmRef } from "@banger/domain/ids.ts"
import { nearest } from "@banger/domain/nearest.ts"
import type { Cidr } from "@banger/domain/network.ts"
import { VmRecord, VmSpec } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { VmStore } from "../store/vm-store.ts"
import { Events } from "./events.ts"
import type { Run } from "./runtime.ts"

/** A VM in memory: its record, and its run when it has one. Changed by the VM's operation alone, but for `ephemeral`. */
export interface Cell {
  record: VmRecord
  run: Run | undefined
  /** Why its record cannot be read: such a VM is shown as broken, stopped and deleted when asked to, and its record is never written. */
  readonly unreadable: string | undefined
}

type Change = Partial<Pick<VmRecord, "spec" | "state" | "reason" | "startedAt" | "startedUptime" | "ephemeral" | "autostart" | "hostBoot" | "made" | "taken">>

/** All VMs the daemon knows. */
export class Registry extends Context.Tag("@banger/daemon/Registry")<Registry, {
  readonly cells: () => ReadonlyArray<Cell>
  /** Tells at once, and after each change of a record that is seen in `cells`; a listener who is slow is told once of several. */
  readonly changes: Stream.Stream<void>
  /** By name, by id, or by the beginning of an id; a name wins. */
  readonly find: (ref: VmRef) => Effect.Effect<Cell, VmNotFound | VmAmbiguous>
  readonly add: (cidr: Cidr, name: VmName, make: (slot: Slot) => VmRecord) => Effect.Effect<Cell, NameTaken | NoFreeAddress | StateUnwritable>
  /** Writes the change, then lets it be seen. */
  readonly update: (cell: Cell, change: Change) => Effect.Effect<void, StateUnwritable>
  readonly rename: (cell: Cell, name: VmName) => Effect.Effect<void, NameTaken | StateUnwritable>
  /** For what has happened already: seen at once, and written as soon as it can be. A full disk keeps no VM from ending. */
  readonly note: (cell: Cell, change: Change) => Effect.Effect<void>
  readonly remove: (cell: Cell) => Effect.Effect<void, StateUnwritable>
}>() {
  static readonly layer = Layer.scoped(Registry, Effect.gen(function*() {
    const store = yield* VmStore
    const daemon = yield* Effect.scope
    const events = yield* Events
    const oneByOne = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const cells = new Map<VmId, Cell>()
    const changed = yield* PubSub.sliding<void>(1)
    const tell = PubSub.publish(changed, undefined)
    for (const { readable, record } of store.found) cells.set(record.spec.id, { record, run: undefined, unreadable: readable ? undefined : record.reason })
    const save = (cell: Cell, record: VmRecord) => cell.unreadable === undefined ? store.save(record) : Effect.void
    const told = ({ record }: Cell, change: Change) =>
      change.state === undefined ? Effect.void : events.append(record.spec.id, `${record.state}${record.reason === "" ? "" : `: ${record.reason}`}`)
    return {
      changes: Stream.unwrapScoped(Effect.map(PubSub.subscribe(changed), (queue) => Stream.concat(Stream.void, Stream.fromQueue(queue)))),
      cells: () => [...cells.values()].toSorted((a, b) => a.record.spec.name.localeCompare(b.record.spec.name)),
      find: (ref) =>
        Effect.suspend((): Effect.Effect<Cell, VmNotFound | VmAmbiguous> => {
          const all = [...cells.values()]
          const named = all.find(({ record }) => String(record.spec.name) === ref)
          if (named !== undefined) return Effect.succeed(named)
          const [match, ...more] = all.filter(({ record }) => record.spec.id.startsWith(ref))
          if (match === undefined) return new VmNotFound({ ref, near: nearest(ref, all.map(({ record }) => record.spec.name)) })
          if (more.length === 0) return Effect.succeed(match)
          return new VmAmbiguous({ ref, matches: [match, ...more].map(({ record }) => `${record.spec.name} (${record.spec.id})`) })
        }),
      add: (cidr, name, make) =>
        Effect.map(store.reserve(cidr, name, make), (record) => {
          const cell: Cell = { record, run: undefined, unreadable: undefined }
          cells.set(record.spec.id, cell)
          return cell
        }).pipe(Effect.zipLeft(tell)),
      update: (cell, change) =>
        Effect.gen(function*() {
          yield* save(cell, new VmRecord({ ...cell.record, ...change }))
          // Of the record as it is by now: what was noted meanwhile stays, and is written after this.
          cell.record = new VmRecord({ ...cell.record, ...change })
          yield* tell
          yield* told(cell, change)
        }).pipe(oneByOne),
      rename: (cell, name) =>
        Effect.gen(function*() {
          const renamed = new VmRecord({ ...cell.record, spec: new VmSpec({ ...cell.record.spec, name }) })
          yield* store.rename(renamed)
          cell.record = renamed
          yield* tell
        }).pipe(oneByOne),
      note: (cell, change) =>
        Effect.gen(function*() {
          cell.record = new VmRecord({ ...cell.record, ...change })
          yield* tell
          yield* told(cell, change)
          const what = `record of ${cell.record.spec.name}`
          // Whatever the record is by then; a VM that is gone has none to write.
          const written = oneByOne(Effect.suspend(() => cells.get(cell.record.spec.id) === cell ? save(cell, cell.record) : Effect.void))
          yield* Effect.catchAll(written, (error) =>
            Effect.zipRight(
              degraded(what, { problem: error.message, fix: error.hint }),
              Effect.forkIn(Effect.retry(written, Schedule.spaced("5 seconds")).pipe(Effect.zipRight(restored(what))), daemon)
            ))
        }),
      remove: (cell) =>
        // Not beside a write of its record that is tried again: the file would come back.
        oneByOne(Effect.zipRight(store.remove(cell.record.spec.id), Effect.sync(() => void cells.delete(cell.record.spec.id)))).pipe(Effect.zipLeft(tell))
    }
  }))
}
