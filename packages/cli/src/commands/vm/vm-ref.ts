import * as Args from "@effect/cli/Args"
import * as Effect from "effect/Effect"
import { pausedFix, WrongState } from "@banger/domain/errors.ts"
import { VmRef } from "@banger/domain/ids.ts"
import type { VmState, VmView } from "@banger/domain/vm.ts"
import { fitting } from "../../command-line/arguments.ts"
import { vms } from "../../command-line/candidates.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { LocalFailure } from "../../failure/errors.ts"

/** The argument that names a VM. Any is taken; while it is typed, those in the states are offered. */
export const vmName = (states?: ReadonlyArray<VmState>) => Args.text({ name: "NAME" }).pipe(fitting(VmRef, "banger vm list --all shows what there is", vms(states)))
export const vmNames = (states?: ReadonlyArray<VmState>) => Args.repeated(vmName(states))

/** The failure of a VM whose agent is of a banger that knew no such call. */
export const tooOld = ({ name }: VmView, verb: string) => new LocalFailure({ problem: `${name} was started by a banger that could not ${verb}`, fix: `banger vm restart ${name}` })

/** A VM that must run. */
export const running = (vm: VmRef) =>
  Effect.gen(function*() {
    const view: VmView = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.Get({ vm })))
    if (view.state === "running") return view
    return yield* new WrongState({ name: view.name, state: view.state, wanted: "running", fix: view.state === "paused" ? pausedFix(view.reason) : `banger vm start ${view.name}` })
  })
