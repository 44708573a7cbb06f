import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { killed } from "./killed.ts"

/** A host command that could not run or did not succeed. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  argv: Schema.Array(Schema.String),
  /** `null` when it was ended by a signal or could not be started. */
  exitCode: Schema.NullOr(Schema.Int),
  stderr: Schema.String
}) {
  override get message() {
    const end = this.exitCode === null ? "did not run to its end" : `exited with ${this.exitCode}`
    // All of it: some tools begin with the cause, others end with it.
    const said = this.stderr.split("\n").map((line) => line.trim()).filter((line) => /[^\s^~]/.test(line)).join("; ")
    return `${this.argv[0]} ${end}${said === "" ? "" : `: ${said.slice(0, MAX_SAID)}`}`
  }
}

/** Characters of a tool's complaint that a message repeats. */
const MAX_SAID = 600

/** Output kept of one command, bytes: far above what any of ours prints. */
const MAX_OUTPUT = 8 << 20

/** For work whose length depends on bytes. */
export const UNLIMITED = 0

/**
 * Runs argv without a shell and gives its stdout. Both pipes are drained; interruption or the timeout kills it with
 * SIGKILL, since every command run here may be repeated safely.
 */
export const run = (
  argv: readonly [string, ...ReadonlyArray<string>],
  options: { readonly stdin?: string; readonly timeoutMs?: number } = {}
): Effect.Effect<string, CommandFailed> =>
  Effect.async<string, CommandFailed>((resume) => {
    const child = execFile(
      argv[0],
      argv.slice(1),
      { maxBuffer: MAX_OUTPUT, timeout: options.timeoutMs ?? 60_000, killSignal: "SIGKILL", env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" } },
      (error, stdout, stderr) => {
        if (error === null) return resume(Effect.succeed(stdout))
        const exitCode = typeof error.code === "number" ? error.code : null
        resume(Effect.fail(new CommandFailed({ argv: [...argv], exitCode, stderr: stderr || error.message })))
      }
    )
    // A command that ends without reading its input must not take us with it; its exit status tells.
    child.stdin?.on("error", () => {})
    child.stdin?.end(options.stdin ?? "")
    return killed(child)
  }).pipe(Effect.withSpan("exec", { attributes: { argv: argv.join(" ") } }))
