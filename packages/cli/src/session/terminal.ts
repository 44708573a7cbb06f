import { spawnSync } from "node:child_process"
import { isatty } from "node:tty"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Terminal } from "@banger/capabilities/vsock/agent-client.ts"

/**
 * A pty when both ends are terminals, unless the user says otherwise. Asked of the descriptor: a look at `process.stdin`
 * would make a pipe non-blocking for everybody who has it.
 */
export const wantsPty = (forced: { readonly tty: boolean; readonly noTty: boolean; readonly noStdin: boolean }): boolean =>
  !forced.noTty && (forced.tty || (!forced.noStdin && isatty(0) && isatty(1)))

export const windowSize = () => ({ rows: process.stdout.rows ?? 24, cols: process.stdout.columns ?? 80 })

export const terminal = (): Terminal => ({ ...windowSize(), term: process.env["TERM"] || "xterm" })

/**
 * Every key goes to the guest until the scope closes. Node's raw mode still turns each newline of the output into
 * carriage return and newline, which breaks programs that draw on the whole screen, so that is switched off too; node
 * puts all of it back.
 */
export const rawMode: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    if (process.stdin.isTTY !== true) return
    process.stdin.setRawMode(true)
    spawnSync("stty", ["-opost"], { stdio: [0, "ignore", "ignore"] })
  }),
  () => Effect.sync(() => void (process.stdin.isTTY === true && process.stdin.setRawMode(false)))
)

/** Calls back with every new size of the window. */
export const onResize = (callback: (size: { rows: number; cols: number }) => void): Effect.Effect<void, never, Scope.Scope> => {
  const listener = () => callback(windowSize())
  return Effect.acquireRelease(
    Effect.sync(() => void process.stdout.on("resize", listener)),
    () => Effect.sync(() => void process.stdout.off("resize", listener))
  )
}
