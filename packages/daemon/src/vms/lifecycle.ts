import { dispensable } from "@banger/capabilities/degraded.ts"
import { shutdown } from "@banger/capabilities/vsock/agent-client.ts"
import { VmExits } from "@banger/capabilities/firecracker/contract.ts"
import { vsockSocket } from "@banger/capabilities/paths.ts"
import { Leftovers, pausedFix, StepFailed, stepFailed, type VmError, WrongState } from "@banger/domain/errors.ts"
import type { Failure } from "@banger/domain/failure.ts"
import { type VmRecord, VmSpec } from "@banger/domain/vm.ts"
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { asStep } from "../as-step.ts"
import { stepOf } from "../step.ts"
import { HostFacts, hostUptime } from "../host-facts.ts"
import { Pool } from "../pool.ts"
import { SSH_FILES, SshFiles } from "./ssh-files.ts"
import { type Emit, Operations } from "./operations.ts"
import { type Cell, Registry } from "./registry.ts"
import { type Run, RunFailed, VmRuntime } from "./runtime.ts"
import { view } from "./view.ts"

/** Of a VM that is paused for want of room: what would need it to run is refused, and says what mends it. */
const paused = ({ reason, spec: { name }, state }: VmRecord) => new WrongState({ name, state, wanted: "running", fix: pausedFix(reason) })

/** How a VM was stopped. */
export interface Stopped {
  /** The guest shut down by itself: what it had written is on its disks. */
  readonly inOrder: boolean
  readonly how: string
}

/** A guest that never answered is kept with its console, so that its owner can look why. */
const keepsVm = (failure: Failure) => failure._tag === "GuestSilent"

/**
 * What can be done with one VM. The record says "trying" before the act and what came of it after. Each is run as the
 * VM's one operation (operations.ts); none takes a lock.
 */
export class Lifecycle extends Context.Tag("@banger/daemon/Lifecycle")<Lifecycle, {
  /** Makes the disks and starts the VM. A failure removes the VM again, but for a guest that stays silent. */
  readonly create: (cell: Cell, emit: Emit) => Effect.Effect<void, VmError>
  readonly start: (cell: Cell, emit: Emit) => Effect.Effect<void, VmError>
  /** Asks the guest, waits, then kills; the disks stay. */
  readonly stop: (cell: Cell, timeoutMs: number, emit: Emit) => Effect.Effect<Stopped, VmError>
  readonly remove: (cell: Cell, force: boolean, emit: Emit) => Effect.Effect<void, VmError>
  /** Gives back what is left of a run, from the record alone, and settles in the state given. */
  readonly settle: (cell: Cell, state: "stopped" | "crashed", reason: string) => Effect.Effect<void, VmError>
  /** Ties the daemon to a run: its end, whenever it comes, is noticed and cleaned up. */
  readonly attach: (cell: Cell, run: Run) => Effect.Effect<void>
}>() {
  static readonly layer = Layer.scoped(Lifecycle, Effect.gen(function*() {
    const registry = yield* Registry
    const runtime = yield* VmRuntime
    const operations = yield* Operations
    const exits = yield* VmExits
    const facts = yield* HostFacts
    const sshFiles = yield* SshFiles
    const pool = yield* Pool
    const daemon = yield* Effect.scope

    /** The state after an end: `broken` as long as something could not be undone. */
    const settled = (cell: Cell, leftovers: ReadonlyArray<string>, state: "stopped" | "crashed", reason: string) =>
      Effect.gen(function*() {
        cell.run = undefined
        if (leftovers.length === 0) {
          return yield* registry.note(cell, cell.unreadable === undefined ? { state, reason, startedAt: null } : { state: "broken", reason: cell.unreadable })
        }
        yield* registry.note(cell, { state: "broken", reason: leftovers.join("; "), startedAt: null })
        return yield* new Leftovers({ name: cell.record.spec.name, items: leftovers })
      })

    const settle = (cell: Cell, state: "stopped" | "crashed", reason: string) =>
      Effect.flatMap(
        cell.run === undefined ? runtime.reclaim(cell.record) : runtime.stop(cell.run),
        (leftovers) => settled(cell, leftovers, state, reason)
      )

    const attach = (cell: Cell, run: Run) =>
      Effect.gen(function*() {
        cell.run = run
        const { id } = cell.record.spec
        // In the attachment's scope, which the clean-up closes: so the clean-up itself runs as an operation, outside.
        const watch = Effect.flatMap(exits.await(id), ({ clean, reason }) =>
          operations.begin(cell.record.spec, "cleaned up", () => cell.run === run ? settle(cell, clean ? "stopped" : "crashed", reason) : Effect.void))
        yield* Effect.forkIn(watch, run.attachment)
      })

    const begin = (cell: Cell, emit: Emit) =>
      Effect.gen(function*() {
        const { cidr } = yield* Effect.mapError(facts.hello, asStep("reach the root helper"))
        const spec = new VmSpec({ ...cell.record.spec, cidr })
        const had = new Set(cell.record.made)
        const moved = cidr !== cell.record.spec.cidr
        yield* registry.update(cell, { spec, state: "starting", reason: "", hostBoot: facts.bootId, made: Array.union(cell.record.made, runtime.names), taken: runtime.names })
        yield* dispensable(SSH_FILES)(moved ? sshFiles.write : sshFiles.follow)
        // What came into the list since the VM was made has nothing of it yet.
        yield* Effect.mapError(runtime.provision(cell.record, (name) => !had.has(name)), (failure) => new RunFailed({ failure, leftovers: [] }))
        const run = yield* runtime.start(cell.record, stepOf(emit))
        yield* attach(cell, run)
        yield* registry.note(cell, { state: "running", startedAt: yield* Clock.currentTimeMillis, startedUptime: hostUptime() })
      })

    /** Fails with the first cause; what could not be undone after it is told beside it, and recorded. */
    const failing = (undo: Effect.Effect<void, VmError>, cause: VmError, emit: Emit) =>
      Effect.zipRight(Effect.catchAll(undo, ({ message }) => emit({ _tag: "Note", message })), Effect.fail(cause))

    const start = (cell: Cell, emit: Emit) =>
      Effect.gen(function*() {
        const { name } = cell.record.spec
        if (cell.unreadable !== undefined) return yield* new StepFailed({ operation: `start ${name}`, problem: cell.unreadable, fix: `install the version of banger that made it, or banger vm delete --force ${name}` })
        if (cell.record.state === "paused") return yield* paused(cell.record)
        if (cell.run !== undefined || cell.record.state === "running") return yield* new WrongState({ name, state: cell.record.state, wanted: "stopped", fix: `banger vm exec ${name} -- CMD runs a command in it` })
        if (cell.record.state !== "stopped") yield* settle(cell, "stopped", "")
        yield* begin(cell, emit).pipe(
          Effect.catchTag("RunFailed", ({ failure, leftovers }) =>
            failing(settled(cell, leftovers, keepsVm(failure) ? "crashed" : "stopped", `start failed: ${failure.message}`), stepFailed(`start ${name}`)(failure), emit)),
          Effect.onInterrupt(() => Effect.ignoreLogged(settle(cell, "stopped", "start was interrupted")))
        )
        yield* emit({ _tag: "Finished", vm: view(cell.record), message: `${name} runs` })
      })

    const destroy = (cell: Cell) =>
      Effect.gen(function*() {
        const leftovers = yield* runtime.destroy(cell.record)
        if (leftovers.length > 0) {
          yield* registry.note(cell, { state: "broken", reason: leftovers.join("; ") })
          return yield* new Leftovers({ name: cell.record.spec.name, items: leftovers })
        }
        yield* registry.remove(cell)
        // The VM is gone, whatever else can or cannot be written: the next one writes the files anew.
        yield* dispensable(SSH_FILES)(sshFiles.write)
        yield* pool.refill
      })

    /** The disks, then the first start. */
    const make = (cell: Cell, emit: Emit) =>
      Effect.gen(function*() {
        yield* stepOf(emit)("disks", Effect.mapError(runtime.provision(cell.record), (failure) => new RunFailed({ failure, leftovers: [] })))
        // No VM is given up for them: ssh alone needs the files, and the next VM writes them anew.
        const known = dispensable(SSH_FILES)(Effect.tapError(sshFiles.write, ({ message }) => emit({ _tag: "Note", message })))
        yield* Effect.all([begin(cell, emit), known], { concurrency: 2, discard: true })
      })

    /** What of a run cannot be given back keeps the VM's disks and its record, since it may well use them. */
    const reclaimed = (cell: Cell): Effect.Effect<void, VmError> =>
      Effect.flatMap(runtime.reclaim(cell.record), (leftovers) => leftovers.length > 0 ? settled(cell, leftovers, "stopped", "") : destroy(cell))

    /** After a create that failed nothing is left of the VM, unless it cannot be removed or its console is worth a look. */
    const unmake = (cell: Cell, error: RunFailed | VmError): Effect.Effect<void, VmError> => {
      if (error._tag !== "RunFailed") return reclaimed(cell)
      if (keepsVm(error.failure)) return settled(cell, error.leftovers, "crashed", error.failure.message)
      return error.leftovers.length > 0 ? settled(cell, error.leftovers, "stopped", "") : destroy(cell)
    }

    const create = (cell: Cell, emit: Emit) =>
      Effect.gen(function*() {
        const { spec } = cell.record
        yield* emit({ _tag: "Planned", vm: view(cell.record) })
        yield* make(cell, emit).pipe(
          Effect.catchAll((error) => failing(unmake(cell, error), error._tag === "RunFailed" ? stepFailed(`create ${spec.name}`)(error.failure) : error, emit)),
          Effect.onInterrupt(() => Effect.ignoreLogged(reclaimed(cell)))
        )
        // The next VM's TAP is made while this one is used.
        yield* Effect.forkIn(pool.refill, daemon)
        yield* emit({ _tag: "Finished", vm: view(cell.record), message: `${spec.name} runs` })
      })

    const stop = (cell: Cell, timeoutMs: number, emit: Emit) =>
      Effect.gen(function*() {
        const { id, name } = cell.record.spec
        const { reason, state } = cell.record
        if (cell.run === undefined && !["broken", "running", "paused"].includes(state)) {
          return yield* new WrongState({ name, state: cell.record.state, wanted: "running", fix: `banger vm start ${name} starts it` })
        }
        yield* registry.note(cell, { state: "stopping", reason: "" })
        const asked: Effect.Effect<Stopped> = shutdown(vsockSocket(id), "stop").pipe(
          Effect.zipRight(exits.await(id)),
          Effect.timeoutTo({
            duration: timeoutMs,
            onSuccess: () => ({ inOrder: true, how: "shut down in order" }),
            onTimeout: () => ({ inOrder: false, how: `killed: the guest did not shut down within ${timeoutMs / 1000} s` })
          }),
          Effect.catchTag("AgentUnreachable", ({ message }) => Effect.succeed({ inOrder: false, how: `killed: ${message}` }))
        )
        // A guest that does not run cannot be asked, and one that ran on to shut down would write.
        const stopped = state === "paused" ? { inOrder: false, how: `killed: it was paused, ${reason}` } : yield* asked
        yield* settle(cell, "stopped", "")
        yield* emit({ _tag: "Note", message: `${name} ${stopped.how}` })
        return stopped
      })

    const remove = (cell: Cell, force: boolean, emit: Emit) =>
      Effect.gen(function*() {
        const { name } = cell.record.spec
        // Whether one of which nothing can be read runs is not known.
        if ((cell.run !== undefined || ["running", "paused"].includes(cell.record.state) || cell.unreadable !== undefined) && !force) {
          return yield* new WrongState({ name, state: cell.record.state, wanted: "stopped", fix: `banger vm stop ${name} first, or banger vm delete --force ${name}` })
        }
        const strangers = runtime.strangers(cell.record)
        if (strangers.length > 0 && !force) {
          return yield* new StepFailed({
            operation: `delete ${name}`,
            problem: `${strangers.join(", ")} made part of it and this daemon lacks the code to undo that`,
            fix: `install the daemon that made it, or banger vm delete --force ${name}, which leaves that part behind`
          })
        }
        const last = view(cell.record)
        if (cell.run !== undefined || cell.record.state !== "stopped") yield* settle(cell, "stopped", "being deleted")
        yield* destroy(cell)
        yield* emit({ _tag: "Finished", vm: last, message: `${name} is deleted` })
      })

    return { create, start, stop, remove, settle, attach }
  }))
}
