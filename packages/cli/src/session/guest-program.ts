import * as Effect from "effect/Effect"
import { type AgentRefused, exec, untilExit } from "@banger/capabilities/vsock/agent-client.ts"
import { GuestFrame } from "@banger/capabilities/vsock/agent-frames.ts"
import type { AgentUnreachable } from "@banger/capabilities/vsock/connect.ts"
import { printable } from "@banger/domain/printable.ts"

/** Characters kept of what a program says on stderr. */
const MAX_SAID = 4_096

/** How a program of the guest ended. */
export interface ProgramEnd {
  readonly status: number
  /** Its last line on stderr, fit for a terminal. */
  readonly said: string
}

/** Runs a shell script as the guest's root, without a terminal and without input; each piece of its output goes to `take`, as fast as that takes it. */
export const runScript = <E>(
  socket: string,
  script: string,
  args: ReadonlyArray<string>,
  take: (bytes: Buffer) => Effect.Effect<void, E>
): Effect.Effect<ProgramEnd, AgentUnreachable | AgentRefused | E> =>
  Effect.scoped(Effect.gen(function*() {
    const stream = yield* exec(socket, { argv: ["/bin/sh", "-c", script, "banger", ...args], env: {}, cwd: "/", user: "root", tty: null, timeoutMs: 0 })
    let said = ""
    const { problem, status } = yield* untilExit(stream, ({ payload, type }) => {
      if (type === GuestFrame.stdout) return take(payload)
      if (type === GuestFrame.stderr) said = (said + payload.toString("latin1")).slice(-MAX_SAID)
      return Effect.void
    })
    return { status, said: printable(problem === "" ? said.trimEnd().split("\n").at(-1) ?? "" : problem) }
  }))
