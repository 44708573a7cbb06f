import * as Effect from "effect/Effect"
import { Finding, mend, notReady, warning } from "@banger/domain/readiness.ts"
import { Daemon, withDaemon } from "../daemon/daemon.ts"
import type { DaemonUnreachable } from "../failure/errors.ts"
import { typed } from "../failure/failure.ts"
import { green, red, yellow } from "../output/style.ts"
import { whyDead } from "./dead.ts"
import { readiness } from "./readiness.ts"

/** A daemon that cannot be asked is the first thing to mend. What a VM needs besides is asked without it. */
const without = (error: DaemonUnreachable) =>
  Effect.gen(function*() {
    const dead = error.reason === "not running" || error.reason === "went away"
    const said = dead ? yield* whyDead : ""
    const problem = said === "" ? error.message : `${error.message}; ${said}`
    const fix = error.reason === "not running" ? mend("sudo systemctl start bangerd.socket") : error.reason === "not installed" ? mend(error.hint) : error.hint
    const first = new Finding({ capability: "daemon", check: "daemon", verdict: notReady(problem, fix) })
    if (error.reason === "forbidden") return [first]
    return [first, ...yield* Effect.catchAll(readiness, ({ hint, message }) => Effect.succeed([new Finding({ capability: "host", check: "host", verdict: warning(message, hint) })]))]
  })

/** What the checks of the installed banger find; where there is none that answers, what those find that need none. */
export const findings = withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Doctor())).pipe(
  Effect.catchTag("DaemonUnreachable", without)
)

export const subject = ({ capability, check }: Finding): string => capability === check ? capability : `${capability} ${check}`

/** One finding for people: a line, and one more with the way out. */
export const lines = (finding: Finding): string => {
  const { verdict } = finding
  if (verdict._tag === "Ready") return `${green("ok")}    ${subject(finding)}: ${verdict.detail}\n`
  const word = verdict._tag === "Warning" ? `${yellow("warn")}  ` : `${red("FAIL")}  `
  return `${word}${subject(finding)}: ${verdict.problem}\n      ${typed(verdict.fix)}\n`
}

export const fails = (found: ReadonlyArray<Finding>): boolean => found.some(({ verdict }) => verdict._tag === "NotReady")
