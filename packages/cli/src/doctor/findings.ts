import * as Effect from "effect/Effect"
import { Finding, mend, notReady } from "@banger/domain/readiness.ts"
import { Daemon, withDaemon } from "../daemon.ts"
import type { DaemonUnreachable } from "../errors.ts"
import { green, red, yellow } from "../output/style.ts"

/** A daemon that cannot be asked is the first thing to mend. */
const unreachable = (error: DaemonUnreachable): ReadonlyArray<Finding> => [
  new Finding({
    capability: "daemon",
    check: "daemon",
    verdict: notReady(error.message, error.reason === "not running" ? mend(error.hint) : error.hint)
  })
]

/** What the checks of the installed banger find. */
export const findings = withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Doctor())).pipe(
  Effect.catchTag("DaemonUnreachable", (error) => Effect.succeed(unreachable(error)))
)

export const subject = ({ capability, check }: Finding): string => capability === check ? capability : `${capability} ${check}`

/** One finding for people: a line, and one more with the way out. */
export const lines = (finding: Finding): string => {
  const { verdict } = finding
  if (verdict._tag === "Ready") return `${green("ok")}    ${subject(finding)}: ${verdict.detail}\n`
  const word = verdict._tag === "Warning" ? `${yellow("warn")}  ` : `${red("FAIL")}  `
  return `${word}${subject(finding)}: ${verdict.problem}\n      ${verdict.fix}\n`
}

export const fails = (found: ReadonlyArray<Finding>): boolean => found.some(({ verdict }) => verdict._tag === "NotReady")
