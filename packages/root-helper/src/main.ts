import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { Finding } from "@banger/domain/readiness.ts"
import { HostAddress, LinkName } from "@banger/domain/tap-nat.ts"
import * as Schema from "effect/Schema"
import { apply } from "./install/apply.ts"
import { joinZone } from "./install/firewalld.ts"
import { install } from "./install/install.ts"
import { restart } from "./install/names.ts"
import { Refused } from "./install/refused.ts"
import { BUILD, readinessAsConfigured } from "./readiness.ts"
import { uninstall } from "./install/uninstall.ts"
import { leaks, NOTHING_KNOWN } from "./leaks.ts"
import { serve } from "./serve.ts"
import { installRecord } from "./settings.ts"
import { down, up } from "./tap-nat.ts"

process.on("SIGHUP", () => {})

const options = {
  owner: { type: "string" },
  daemon: { type: "string" },
  helper: { type: "string" },
  stop: { type: "boolean", default: false },
  purge: { type: "boolean", default: false },
  tap: { type: "string" },
  address: { type: "string" },
  json: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false }
} as const

const usage = (problem: string) =>
  new Refused({ problem, fix: "bangerd-root serve | install --owner USER [--daemon FILE] [--helper FILE] | uninstall [--stop] [--purge] | apply [--dry-run] | restart | check | leaks | nat up --tap TAP --address IPV4 | nat down --tap TAP" })

const read = <A, I>(flag: string, schema: Schema.Schema<A, I>, given: string | undefined) =>
  Effect.mapError(Schema.decodeUnknown(schema)(given), () => usage(`${flag} is missing, or not as it must be`))

/** Rules for a TAP that is none of banger's. */
const nat = (word: string | undefined, { address, tap }: { readonly address?: string; readonly tap?: string }) =>
  Effect.gen(function*() {
    const name = yield* read("--tap", LinkName, tap)
    return word === "up" ? yield* up(name, yield* read("--address", HostAddress, address)) : word === "down" ? yield* down(name) : yield* usage("nat up, or nat down")
  })

/** The root side of banger: the helper itself, and what must work without it. */
const command = Effect.gen(function*() {
  const { positionals: [word, second], values } = yield* Effect.try({
    try: () => parseArgs({ options, allowPositionals: true }),
    catch: (error) => usage(error instanceof Error ? error.message : String(error))
  })
  switch (word) {
    case "serve":
      return yield* serve
    case "install":
      return yield* values.owner === undefined ? usage("--owner is missing: the user whose VMs these will be") : install(values.owner, { daemon: values.daemon, helper: values.helper })
    case "uninstall":
      return yield* uninstall(values)
    case "apply":
      return yield* apply({ dryRun: values["dry-run"] })
    case "restart":
      return yield* Effect.zipRight(joinZone(), Effect.flatMap(installRecord, restart))
    case "check":
      return yield* Effect.flatMap(readinessAsConfigured(BUILD), (found) => Console.log(JSON.stringify(found.map((finding) => Schema.encodeSync(Finding)(finding)))))
    case "leaks":
      return yield* Effect.flatMap(leaks(NOTHING_KNOWN), (found) =>
        Console.log(found.length === 0 ? "nothing of banger's is left" : found.join("\n")))
    case "nat":
      return yield* Effect.flatMap(nat(second, values), (rules) => Console.log(JSON.stringify(rules)))
    default:
      return yield* usage(`unknown command ${word ?? ""}`)
  }
})

/** Two lines, never a trace: what failed, and what mends it. For a command that asked in JSON, that. */
const report = (cause: Cause.Cause<{ readonly message: string }>) => {
  const failure = Cause.failureOption(cause)
  if (failure._tag === "None") return Console.error(Cause.pretty(cause))
  const { message } = failure.value
  const hint = "hint" in failure.value ? String(failure.value.hint) : ""
  return Console.error(process.argv.includes("--json") ? JSON.stringify({ message, hint }) : `error: ${message}${hint === "" ? "" : `\n  fix: ${hint}`}`)
}

command.pipe(
  Effect.tapErrorCause(report),
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.jsonLogger))),
  NodeRuntime.runMain({ disablePrettyLogger: true, disableErrorReporting: true })
)
