import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Finding } from "@banger/domain/readiness.ts"
import { files } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { array } from "../../command-line/json.ts"
import { as, json } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { fails, findings, lines } from "../../doctor/findings.ts"
import { fix } from "../../doctor/fix.ts"
import { report } from "../../doctor/report.ts"
import { FAILED } from "../../failure/exit.ts"
import { red } from "../../output/style.ts"
import { page } from "../../output/pager.ts"
import { printJson, say } from "../../output/text.ts"

const FINDINGS = array("finding", Finding)
const LEAKS = array("what is left over", Schema.String, "--leaks")

const leaks = (asJson: boolean) =>
  Effect.gen(function*() {
    const found = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Leaks()))
    if (asJson) yield* printJson(LEAKS, found)
    else yield* page(found.length === 0 ? "no host object is left over\n" : found.map((leak) => `${red("FAIL")}  left over: ${leak}\n`).join(""))
    return found.length === 0 ? 0 : FAILED
  })

/** Runs the commands that mend what was found, then looks again. */
const mended = (found: ReadonlyArray<Finding>, unasked: boolean) =>
  Effect.gen(function*() {
    if ((yield* fix(found, unasked)) > 0) return yield* findings
    yield* say("nothing was run")
    return found
  })

export default command({
  path: "doctor",
  about: "Checks the very things that starting a VM needs, and names the command that mends what is wrong. Exit status 1 when something fails.",
  args: Args.none,
  flags: Options.all({
    fix: Options.boolean("fix").pipe(Options.withDescription("run the commands that mend what is wrong, asking before each, and check again")),
    yes: Options.boolean("yes").pipe(Options.withAlias("y"), Options.withDescription("with --fix: do not ask")),
    bundle: Options.text("bundle").pipe(Options.withPseudoName("FILE"), Options.withDescription("write a report for an issue: without names, paths of yours, or credentials"), as(Values.text, files)),
    leaks: Options.boolean("leaks").pipe(Options.withDescription("list host objects that belong to no VM instead")),
    json
  }),
  json: [FINDINGS, LEAKS],
  examples: ["banger doctor", "banger doctor --fix", "banger doctor --bundle report.txt", "banger doctor --leaks --json"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      if (flags.leaks) return yield* leaks(flags.json)
      const first = yield* findings
      const found = flags.fix ? yield* mended(first, flags.yes) : first
      yield* flags.json ? printJson(FINDINGS, found) : page(found.map(lines).join(""))
      if (flags.bundle !== undefined) {
        yield* report(flags.bundle, found)
        yield* say(`the report is in ${flags.bundle}: read it before you show it to others`)
      }
      return fails(found) ? FAILED : 0
    })
})
