import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { exec, type Start } from "@banger/capabilities/vsock/agent-client.ts"
import { environmentOf } from "@banger/domain/run-config.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { as, each, type ValuesOf } from "../command-line/options.ts"
import * as Values from "../command-line/values.ts"
import { LocalFailure } from "../failure/errors.ts"
import { renderFailure } from "../failure/failure.ts"
import { tellPauses } from "./pauses.ts"
import { session } from "./session.ts"
import { terminal, wantsPty } from "./terminal.ts"

/** Flags of the commands that run something in a guest. */
export const guestFlags = {
  env: Options.text("env").pipe(Options.withAlias("e"), Options.withPseudoName("KEY=VAL"), Options.withDescription("set a variable of the command; KEY alone passes yours on"), each(Values.variable)),
  timeout: Options.text("timeout").pipe(Options.withPseudoName("TIME"), Options.withDescription("end the command after 30s, 10m, 2h (exit status 124)"), as(Values.duration)),
  noStdin: Options.boolean("no-stdin").pipe(Options.withAlias("n"), Options.withDescription("leave standard input alone: in a loop over lines, in the background")),
  tty: Options.boolean("tty").pipe(Options.withAlias("t"), Options.withDescription("give the command a terminal (without it: when both ends are one)")),
  noTty: Options.boolean("no-tty").pipe(Options.withAlias("T"), Options.withDescription("give it none"))
}

/**
 * What is not said by the flags is as the image's maker wanted it: variables, and the directory when `cwd` is empty. The
 * agent adds the variables itself; they are sent for a VM that was started by an earlier version.
 */
export const startOf = (flags: ValuesOf<typeof guestFlags>, { run }: VmView, what: { readonly argv: ReadonlyArray<string>; readonly cwd: string; readonly user: string }): Start => ({
  ...what,
  cwd: what.cwd === "" && run !== null && run.workdir !== "/" ? run.workdir : what.cwd,
  env: { ...environmentOf(run), ...Object.fromEntries(flags.env) },
  tty: wantsPty(flags) ? terminal() : null,
  timeoutMs: flags.timeout ?? 0
})

/** Runs it in the guest, with this process's files; gives its exit status. `stdin`: whether standard input is passed on. */
export const runInGuest = (vm: VmView, start: Start, stdin: boolean) =>
  Effect.scoped(Effect.gen(function*() {
    const stream = yield* exec(vm.vsock, start)
    // The end of the command waits for no daemon.
    yield* Effect.forkScoped(Effect.disconnect(tellPauses(vm, start.tty !== null)))
    return yield* session(stream, start, stdin)
  })).pipe(
    Effect.tap(({ problem }) => Effect.sync(() => {
      if (problem !== "") process.stderr.write(renderFailure(new LocalFailure({ problem: `in the guest: ${problem}`, fix: "" }), false))
    })),
    Effect.map(({ status }) => status)
  )
