import type { VmChange } from "@banger/domain/api.ts"
import { StepFailed, stepFailed, type VmError, WrongState } from "@banger/domain/errors.ts"
import { VmRecord, VmSpec } from "@banger/domain/vm.ts"
import * as Effect from "effect/Effect"
import type { Emit } from "./operations.ts"
import { type Cell, Registry } from "./registry.ts"
import { VmRuntime } from "./runtime.ts"
import { view } from "./view.ts"

/** A change in words: two that say the same are one operation, of others the second is refused. */
export const wordsOf = ({ diskMib, memoryMib, nat, vcpu }: VmChange): string =>
  [
    ...(vcpu === undefined ? [] : [`${vcpu} vCPU`]),
    ...(memoryMib === undefined ? [] : [`${memoryMib} MiB of memory`]),
    ...(diskMib === undefined ? [] : [`a disk of ${diskMib} MiB`]),
    ...(nat === undefined ? [] : [nat ? "NAT" : "no NAT"])
  ].join(", ")

/**
 * Changes what a VM is. One that runs can be given NAT, or lose it, at once; the rest is for the next start. The host's part comes
 * first and can be repeated, so what is written down is true whenever the daemon dies.
 */
export const makeChange = Effect.gen(function*() {
  const registry = yield* Registry
  const runtime = yield* VmRuntime

  return (cell: Cell, { diskMib, memoryMib, nat, vcpu }: VmChange, emit: Emit): Effect.Effect<void, VmError> =>
    Effect.gen(function*() {
      const { spec, state } = cell.record
      const { name } = spec
      const running = state === "running" || state === "paused"
      if (cell.unreadable !== undefined) return yield* new StepFailed({ operation: `change ${name}`, problem: cell.unreadable, fix: `install the version of banger that made it` })
      if (!(running && vcpu === undefined && memoryMib === undefined && diskMib === undefined) && state !== "stopped" && state !== "crashed") {
        return yield* new WrongState({ name, state, wanted: "stopped", fix: running ? `banger vm stop ${name} first: while a VM runs only its NAT can be changed` : `banger vm stop ${name} first` })
      }
      if (diskMib !== undefined && diskMib < spec.diskMib) {
        return yield* new StepFailed({ operation: `change ${name}`, problem: `its disk has ${spec.diskMib} MiB, and disks only grow`, fix: `give ${spec.diskMib}M or more` })
      }
      const changed = new VmRecord({
        ...cell.record,
        spec: new VmSpec({ ...spec, diskMib: diskMib ?? spec.diskMib, memoryMib: memoryMib ?? spec.memoryMib, nat: nat ?? spec.nat, vcpu: vcpu ?? spec.vcpu })
      })
      yield* (running ? runtime.adjust(changed) : runtime.provision(changed, (capability) => changed.made.includes(capability))).pipe(Effect.mapError(stepFailed(`change ${name}`)))
      yield* registry.update(cell, { spec: changed.spec })
      yield* emit({ _tag: "Finished", vm: view(cell.record), message: `${name} has ${wordsOf(changed.spec)}` })
    })
})
