import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { WrongState } from "@banger/domain/errors.ts"
import type { VmRef } from "@banger/domain/ids.ts"
import type { VmState } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { as } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { DaemonUnreachable } from "../../failure/errors.ts"
import { TIMED_OUT } from "../../failure/exit.ts"
import { sshdListens } from "../../session/sshd.ts"
import { vmName } from "./vm-ref.ts"

const Awaited = Schema.Literal("ready", "ssh", "stopped")

const DOWN: ReadonlyArray<VmState> = ["stopped", "crashed", "broken"]

/** The VM, once its state is one of these. The daemon tells each change. */
const until = (vm: VmRef, states: ReadonlyArray<VmState>) =>
  Effect.gen(function*() {
    const daemon = yield* Daemon
    // The events so far come first, once those to come are watched: so no change falls between the two.
    const reached = yield* daemon.vm.Events({ vm, follow: true }).pipe(
      Stream.mapEffect(() => daemon.vm.Get({ vm })),
      Stream.filter(({ state }) => states.includes(state)),
      Stream.runHead
    )
    // They end with the daemon alone.
    return yield* Effect.mapError(reached, () => new DaemonUnreachable({ reason: "went away", owner: "" }))
  })

const awaited = (vm: VmRef, what: typeof Awaited.Type) =>
  withDaemon(Effect.gen(function*() {
    if (what === "stopped") return void (yield* until(vm, DOWN))
    const view = yield* until(vm, ["running", ...DOWN])
    if (view.state !== "running") return yield* new WrongState({ name: view.name, state: view.state, wanted: "running", fix: `banger vm start ${view.name}` })
    if (what === "ssh") yield* sshdListens(view)
  }))

export default command({
  path: "vm wait",
  about: `Returns when a VM is ready: its guest's agent answers; or with --for ssh, an sshd listens in it; or with --for stopped, it is down, however that came.
Exits 4 when the VM is down already, or goes down, and 124 when --timeout has passed.`,
  args: vmName(),
  flags: Options.all({
    for: Options.text("for").pipe(Options.withPseudoName("WHAT"), Options.withDescription("ready (the default), ssh or stopped"), as(Awaited)),
    timeout: Options.text("timeout").pipe(Options.withPseudoName("TIME"), Options.withDescription("how long to wait, such as 30s (without it: as long as it takes)"), as(Values.duration))
  }),
  examples: ["banger vm start sandbox & banger vm wait sandbox --for ssh --timeout 2m", "banger vm wait sandbox --for stopped"],
  run: ({ args: vm, flags }) => {
    const done = Effect.as(awaited(vm, flags.for ?? "ready"), 0)
    return flags.timeout === undefined ? done : Effect.timeoutTo(done, { duration: flags.timeout, onSuccess: (status) => status, onTimeout: () => TIMED_OUT })
  }
})
