import { dispensable } from "@banger/capabilities/degraded.ts"
import { vsockSocket } from "@banger/capabilities/paths.ts"
import { setHostname } from "@banger/capabilities/vsock/agent-client.ts"
import type { VmChange } from "@banger/domain/api.ts"
import { StepFailed, stepFailed, type VmError, WrongState } from "@banger/domain/errors.ts"
import type { VmName } from "@banger/domain/ids.ts"
import { VmRecord, VmSpec } from "@banger/domain/vm.ts"
import * as Effect from "effect/Effect"
import { HostFacts } from "../host-facts.ts"
import type { Emit } from "./operations.ts"
import { type Cell, Registry } from "./registry.ts"
import { VmRuntime } from "./runtime.ts"
import { SSH_FILES, SshFiles } from "./ssh-files.ts"
import { view } from "./view.ts"

/** A change in words: two that say the same are one operation, of others the second is refused. */
export const wordsOf = ({ autostart, diskMib, memoryMib, name, nat, vcpu }: VmChange): string =>
  [
    ...(name === undefined ? [] : [`the name ${name}`]),
    ...(vcpu === undefined ? [] : [`${vcpu} vCPU`]),
    ...(memoryMib === undefined ? [] : [`${memoryMib} MiB of memory`]),
    ...(diskMib === undefined ? [] : [`a disk of ${diskMib} MiB`]),
    ...(nat === undefined ? [] : [nat ? "NAT" : "no NAT"]),
    ...(autostart === undefined ? [] : [autostart ? "autostart" : "no autostart"])
  ].join(", ")

/**
 * Changes what a VM is. One that runs can be given another name, NAT and autostart, or lose them, at once; the rest is for the next start. The
 * host's part comes first and can be repeated, so what is written down is true whenever the daemon dies; of a name the record comes first,
 * since it says whose the name is.
 */
export const makeChange = Effect.gen(function*() {
  const { bootId } = yield* HostFacts
  const registry = yield* Registry
  const runtime = yield* VmRuntime
  const sshFiles = yield* SshFiles

  /** A guest that cannot be asked, or was started by a version that knew no such call, is told when it boots. */
  const tellGuest = ({ record: { spec: { id, name } } }: Cell, former: VmName, emit: Emit) =>
    Effect.catchAll(setHostname(vsockSocket(id), name), ({ message }) => emit({ _tag: "Note", message: `the guest is called ${former} until its next start: ${message}` }))

  /** Of a change that failed: the VM has its former name again, and what of its run followed goes back. */
  const takeBack = (cell: Cell, former: VmName, running: boolean) =>
    (cell.record.spec.name === former ? Effect.void : registry.rename(cell, former)).pipe(
      Effect.zipRight(Effect.suspend(() => running ? runtime.adjust(cell.record) : Effect.void)),
      Effect.ignoreLogged
    )

  return (cell: Cell, { autostart, diskMib, memoryMib, name: wanted, nat, vcpu }: VmChange, emit: Emit): Effect.Effect<void, VmError> =>
    Effect.gen(function*() {
      const { spec, state } = cell.record
      const { name } = spec
      const running = state === "running" || state === "paused"
      if (cell.unreadable !== undefined) return yield* new StepFailed({ operation: `change ${name}`, problem: cell.unreadable, fix: `install the version of banger that made it` })
      if (!(running && [diskMib, memoryMib, vcpu].every((value) => value === undefined)) && state !== "stopped" && state !== "crashed") {
        return yield* new WrongState({ name, state, wanted: "stopped", fix: running ? `banger vm stop ${name} first: while a VM runs only its name, NAT and autostart can be changed` : `banger vm stop ${name} first` })
      }
      if (diskMib !== undefined && diskMib < spec.diskMib) {
        return yield* new StepFailed({ operation: `change ${name}`, problem: `its disk has ${spec.diskMib} MiB, and disks only grow`, fix: `give ${spec.diskMib}M or more` })
      }
      if (wanted !== undefined) yield* registry.rename(cell, wanted)
      const changed = new VmRecord({
        ...cell.record,
        spec: new VmSpec({ ...cell.record.spec, diskMib: diskMib ?? spec.diskMib, memoryMib: memoryMib ?? spec.memoryMib, nat: nat ?? spec.nat, vcpu: vcpu ?? spec.vcpu })
      })
      yield* (running ? runtime.adjust(changed) : runtime.provision(changed, (capability) => changed.made.includes(capability))).pipe(
        Effect.mapError(stepFailed(`change ${name}`)),
        Effect.tapError(() => takeBack(cell, name, running))
      )
      // With the boot at which it was asked for: a daemon that restarts is no boot of the host.
      yield* registry.update(cell, { spec: changed.spec, ...(autostart !== undefined && { autostart, hostBoot: bootId }) })
      if (wanted !== undefined) yield* dispensable(SSH_FILES)(sshFiles.write)
      if (wanted !== undefined && running) yield* tellGuest(cell, name, emit)
      yield* emit({ _tag: "Finished", vm: view(cell.record), message: wanted === undefined ? `${name} has ${wordsOf({ ...changed.spec, autostart: cell.record.autostart || undefined, name: undefined })}` : `${name} is ${wanted} from now on` })
    })
})
