import { lstatSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { Slot, VmId } from "@banger/domain/ids.ts"
import { vmUid } from "@banger/domain/network.ts"
import { run } from "../exec.ts"
import { file } from "../files.ts"
import { HostSettings } from "../host-settings.ts"
import { opFailed } from "../op-failed.ts"
import { RUN_VMS, runDir } from "../paths.ts"
import { VsockOps } from "./ops.ts"

const MODE = 0o770

/** The mode is set last, so a directory with it is a finished one. */
const find = (vm: VmId) =>
  Effect.sync(() => ((lstatSync(runDir(vm), { throwIfNoEntry: false })?.mode ?? 0) & 0o777) === MODE)

const ensure = (vm: VmId, slot: Slot) =>
  Effect.gen(function*() {
    const { owner } = yield* HostSettings
    yield* file(runDir(vm), async () => {
      await fs.mkdir(RUN_VMS, { recursive: true, mode: 0o711 })
      await fs.mkdir(runDir(vm), { recursive: true, mode: 0o700 })
      await fs.chown(runDir(vm), owner.uid, vmUid(slot))
      await fs.chmod(runDir(vm), MODE)
    })
  }).pipe(Effect.mapError(opFailed("socket directory")))

/** Owner and VM can write in it: `rm` walks by file descriptors, so an exchanged directory leads it nowhere else. */
const remove = (vm: VmId) =>
  run(["rm", "-rf", "--one-file-system", "--", runDir(vm)]).pipe(Effect.mapError(opFailed("socket directory")))

export const handlers = VsockOps.toLayer({
  "vsock.Find": ({ vm }) => find(vm),
  "vsock.Ensure": ({ slot, vm }) => ensure(vm, slot),
  "vsock.Remove": ({ vm }) => remove(vm)
})
