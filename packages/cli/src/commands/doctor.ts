import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Finding } from "@banger/domain/readiness.ts"
import { command } from "../command.ts"
import { Daemon, withDaemon } from "../daemon.ts"
import type { DaemonUnreachable } from "../errors.ts"
import { FAILED } from "../exit.ts"
import * as Flags from "../flags.ts"
import { print, printJson } from "../output/text.ts"
import { green, red, yellow } from "../output/style.ts"

const line = ({ capability, check, verdict }: Finding): string => {
  const subject = capability === check ? capability : `${capability} ${check}`
  if (verdict._tag === "Ready") return `${green("ok")}    ${subject}: ${verdict.detail}\n`
  const word = verdict._tag === "Warning" ? yellow("warn") + "  " : red("FAIL") + "  "
  return `${word}${subject}: ${verdict.problem}\n      ${verdict.fix}\n`
}

/** A daemon that cannot be asked is the first thing to mend. */
const unreachable = (error: DaemonUnreachable) =>
  Effect.succeed([new Finding({ capability: "daemon", check: "daemon", verdict: { _tag: "NotReady", problem: error.message, fix: error.hint } })])

const ask = Effect.gen(function*() {
  const daemon = yield* Daemon
  const findings: ReadonlyArray<Finding> = yield* daemon.host.Doctor()
  return findings
})

const leaks = (asJson: boolean) =>
  Effect.gen(function*() {
    const found = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Leaks()))
    if (asJson) yield* printJson(found)
    else yield* print(found.length === 0 ? "no host object is left over\n" : found.map((leak) => `${red("FAIL")}  left over: ${leak}\n`).join(""))
    return found.length === 0 ? 0 : FAILED
  })

export default command({
  path: "doctor",
  about: "Checks the very things that starting a VM needs, and names the command that mends what is wrong. Exit status 1 when something fails.",
  flags: { leaks: Flags.on("list host objects that belong to no VM instead"), json: Flags.json },
  fields: [
    "an array of {capability, check, verdict}; verdict._tag is Ready {detail}, Warning {problem, fix} or NotReady {problem, fix}",
    "with --leaks: an array of texts"
  ],
  examples: ["banger doctor", "banger doctor --json", "banger doctor --leaks"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      if (flags.leaks) return yield* leaks(flags.json)
      const findings = yield* withDaemon(ask).pipe(Effect.catchTag("DaemonUnreachable", unreachable))
      yield* flags.json ? printJson(findings.map((finding) => Schema.encodeSync(Finding)(finding))) : print(findings.map(line).join(""))
      return findings.some(({ verdict }) => verdict._tag === "NotReady") ? FAILED : 0
    })
})
