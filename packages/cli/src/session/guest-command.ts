import * as Effect from "effect/Effect"
import { exec, type Start } from "@banger/capabilities/vsock/agent-client.ts"
import { environmentOf } from "@banger/domain/run-config.ts"
import type { VmView } from "@banger/domain/vm.ts"
import * as Decode from "../command-line/values.ts"
import * as Flags from "../command-line/flags.ts"
import { renderFailure } from "../failure/failure.ts"
import { LocalFailure } from "../failure/errors.ts"
import { session } from "./session.ts"
import { terminal, wantsPty } from "./terminal.ts"

/** Flags of the commands that run something in a guest. */
export const guestFlags = {
  env: Flags.list("KEY=VAL", "set a variable of the command; KEY alone passes yours on", Decode.variable, "e"),
  timeout: Flags.value("TIME", "end the command after 30s, 10m, 2h (exit status 124)", Decode.duration),
  "no-stdin": Flags.on("leave standard input alone: in a loop over lines, in the background", "n"),
  tty: Flags.on("give the command a terminal (without it: when both ends are one)", "t"),
  "no-tty": Flags.on("give it none", "T")
}

/**
 * What is not said by the flags is as the image's maker wanted it: variables, and the directory when `cwd` is empty. The
 * agent adds the variables itself; they are sent for a VM that was started by an earlier version.
 */
export const startOf = (flags: Flags.Values<typeof guestFlags>, { run }: VmView, what: { readonly argv: ReadonlyArray<string>; readonly cwd: string; readonly user: string }): Start => ({
  ...what,
  cwd: what.cwd === "" && run !== null && run.workdir !== "/" ? run.workdir : what.cwd,
  env: { ...environmentOf(run), ...Object.fromEntries(flags.env) },
  tty: wantsPty(flags) ? terminal() : null,
  timeoutMs: flags.timeout ?? 0
})

/** Runs it in the guest, with this process's files; gives its exit status. `stdin`: whether standard input is passed on. */
export const runInGuest = (socket: string, start: Start, stdin: boolean) =>
  Effect.scoped(Effect.flatMap(exec(socket, start), (stream) => session(stream, start, stdin))).pipe(
    Effect.tap(({ problem }) => Effect.sync(() => {
      if (problem !== "") process.stderr.write(renderFailure(new LocalFailure({ problem: `in the guest: ${problem}`, fix: "" }), false))
    })),
    Effect.map(({ status }) => status)
  )
