import * as Effect from "effect/Effect"
import { pausedFix, WrongState } from "@banger/domain/errors.ts"
import { VmRef } from "@banger/domain/ids.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import * as Decode from "../../command-line/values.ts"
import { Misuse } from "../../command-line/misuse.ts"

/** Arguments that name VMs. */
export const refs = (args: ReadonlyArray<string>) =>
  Effect.forEach(args, (arg) =>
    Effect.try({
      try: () => Decode.as(VmRef)(arg),
      catch: (error) => new Misuse(`${JSON.stringify(arg)}: ${(error as Error).message}`, "banger vm list --all shows what there is")
    }))

export const ref = (args: ReadonlyArray<string>) => Effect.map(refs(args.slice(0, 1)), ([first]) => first as VmRef)

/** A VM that must run. */
export const running = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const vm = yield* ref(args)
    const view: VmView = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.Get({ vm })))
    if (view.state === "running") return view
    return yield* new WrongState({ name: view.name, state: view.state, wanted: "running", fix: view.state === "paused" ? pausedFix(view.reason) : `banger vm start ${view.name}` })
  })
