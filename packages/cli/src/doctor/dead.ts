import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"

/** What systemctl show and the journal say of a service that does not run, in one line; empty when they know nothing. */
export const why = (shown: string, journal: string): string => {
  const property = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(shown)?.[1] ?? ""
  const state = [property("ActiveState"), property("SubState")].filter((word) => word !== "").join(", ")
  const failed = property("Result") === "success" ? "" : ` (${property("Result")}, status ${property("ExecMainStatus")}, ${property("NRestarts")} restarts)`
  // Of the daemon's own lines the last that complains; of a program that could not even start, systemd's.
  const said = journal.split("\n").flatMap((line) => {
    try {
      const { logLevel, message } = JSON.parse(line)
      return logLevel === "ERROR" || logLevel === "FATAL" ? [[message].flat().map(String).join(" ")] : []
    } catch {
      return /error|fail|cannot/i.test(line) ? [line] : []
    }
  }).at(-1)
  return [state === "" ? "" : `bangerd.service is ${state}${failed}`, said === undefined ? "" : `it said: ${said.slice(0, 300)}`].filter((part) => part !== "").join("; ")
}

const output = (program: string, ...args: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.async((resume) => {
    execFile(program, args, { timeout: 10_000 }, (_, stdout) => resume(Effect.succeed(stdout)))
  })

/** Why the daemon does not run. The journal of a service under the user's own uid is theirs to read. */
export const whyDead = Effect.zipWith(
  output("systemctl", "show", "bangerd.service", "-p", "ActiveState,SubState,Result,ExecMainStatus,NRestarts"),
  output("journalctl", "--no-pager", "-o", "cat", "-n", "50", "-u", "bangerd.service"),
  why
)
