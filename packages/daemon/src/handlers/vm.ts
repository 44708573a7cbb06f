import { Helper } from "@banger/capabilities/helper.ts"
import { VmApi } from "@banger/domain/api.ts"
import type { VmError } from "@banger/domain/errors.ts"
import type { VmRef } from "@banger/domain/ids.ts"
import type { Progress } from "@banger/domain/progress.ts"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { asStep } from "../as-step.ts"
import { Catalog } from "../catalog.ts"
import { HostFacts } from "../host-facts.ts"
import { makeChange, wordsOf } from "../vms/change.ts"
import { makeHold } from "../vms/ephemeral.ts"
import { Events } from "../vms/events.ts"
import { Lifecycle } from "../vms/lifecycle.ts"
import { type Doing, type Emit, Operations } from "../vms/operations.ts"
import { makePlan } from "../vms/plan.ts"
import { type Cell, Registry } from "../vms/registry.ts"
import { usage } from "../vms/usage.ts"
import { detail, view } from "../vms/view.ts"

/** Translates requests into operations; decides nothing. */
export const vmHandlers = VmApi.toLayer(Effect.gen(function*() {
  const catalog = yield* Catalog
  const change = yield* makeChange
  const daemon = yield* Effect.scope
  const events = yield* Events
  const facts = yield* HostFacts
  const helper = yield* Helper
  const hold = yield* makeHold
  const lifecycle = yield* Lifecycle
  const operations = yield* Operations
  const plan = yield* makePlan
  const registry = yield* Registry

  const operation = (ref: VmRef, doing: Doing, work: (cell: Cell) => (emit: Emit) => Effect.Effect<void, VmError>): Stream.Stream<Progress, VmError> =>
    Stream.unwrap(Effect.flatMap(registry.find(ref), (cell) => operations.run(cell.record.spec, doing, work(cell)))).pipe(Stream.rechunk(1))

  return VmApi.of({
    "vm.Create": (request) =>
      Stream.unwrap(Effect.zipRight(
        // Whoever asks may leave while a helper that is away is waited for.
        Effect.mapError(facts.hello, asStep("reach the root helper")),
        // Between the record and its operation nobody may come: an interrupted request would leave a VM being created by none.
        Effect.uninterruptible(Effect.flatMap(plan(request), (cell) =>
          operations.run(cell.record.spec, "created", (emit) => lifecycle.create(cell, emit))))
      )).pipe(Stream.rechunk(1)),
    "vm.Start": ({ vm }) => operation(vm, "started", (cell) => (emit) => lifecycle.start(cell, emit)),
    "vm.Stop": ({ timeoutMs, vm }) =>
      operation(vm, "stopped", (cell) => (emit) =>
        Effect.flatMap(lifecycle.stop(cell, timeoutMs, emit), ({ how }) =>
          emit({ _tag: "Finished", vm: view(cell.record), message: `${cell.record.spec.name} is stopped: ${how}` }))),
    "vm.Restart": ({ timeoutMs, vm }) =>
      operation(vm, "restarted", (cell) => (emit) =>
        Effect.zipRight(cell.record.state === "running" ? lifecycle.stop(cell, timeoutMs, emit) : Effect.void, lifecycle.start(cell, emit))),
    "vm.Delete": ({ force, vm }) =>
      operation(vm, "deleted", (cell) => (emit) => lifecycle.remove(cell, force, emit)).pipe(
        // The VM may have been the last user of a replaced image; whoever deletes it does not wait for that.
        Stream.concat(Stream.execute(Effect.forkIn(Effect.ignoreLogged(catalog.collect), daemon)))
      ),
    "vm.Set": ({ change: wanted, vm }) => operation(vm, `changed to ${wordsOf(wanted)}`, (cell) => (emit) => change(cell, wanted, emit)),
    "vm.Kill": ({ signal, vm }) =>
      Effect.flatMap(registry.find(vm), ({ record }) =>
        Effect.mapError(helper.firecracker.Kill({ vm: record.spec.id, signal }), asStep(`send SIG${signal} to ${record.spec.name}`))),
    "vm.List": () => Effect.sync(() => registry.cells().map(({ record }) => view(record))),
    "vm.Watch": () => Stream.rechunk(Stream.map(registry.changes, () => registry.cells().map(({ record }) => view(record))), 1),
    "vm.Get": ({ vm }) => Effect.map(registry.find(vm), ({ record }) => view(record)),
    "vm.Show": ({ vm }) =>
      Effect.flatMap(registry.find(vm), ({ record }) =>
        helper.firecracker.Find({ vm: record.spec.id }).pipe(
          Effect.map((process) => detail(record, process?.pid ?? null)),
          // With the helper away everything but the pid is still true.
          Effect.orElseSucceed(() => detail(record, null))
        )),
    "vm.Usage": ({ everyMs, vms }) => {
      const named = Effect.forEach(vms, registry.find)
      const all = Effect.sync(() => registry.cells().filter(({ record }) => record.state === "running" || record.state === "paused"))
      // Found anew each time: VMs come and go while they are watched.
      const look = Effect.flatMap(vms.length > 0 ? named : all, Effect.forEach(({ record }) => usage(record), { concurrency: 16 }))
      return Stream.rechunk(Stream.repeatEffectWithSchedule(look, Schedule.spaced(everyMs)), 1)
    },
    "vm.Events": ({ follow, vm, withinMs = Infinity }) =>
      Stream.unwrap(Effect.map(registry.find(vm), ({ record }) => events.lines(record.spec.id, follow, withinMs))).pipe(Stream.rechunk(1)),
    "vm.Hold": ({ vm }) => Stream.unwrap(Effect.map(registry.find(vm), hold)),
    "vm.Keep": ({ vm }) => Effect.flatMap(registry.find(vm), (cell) => registry.update(cell, { ephemeral: null }))
  })
}))
