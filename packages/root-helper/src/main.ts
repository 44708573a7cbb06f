import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { Finding } from "@banger/domain/readiness.ts"
import * as Schema from "effect/Schema"
import { apply } from "./install/apply.ts"
import { install } from "./install/install.ts"
import { restart } from "./install/names.ts"
import { Refused } from "./install/refused.ts"
import { BUILD, readinessAsConfigured } from "./readiness.ts"
import { uninstall } from "./install/uninstall.ts"
import { leaks, NOTHING_KNOWN } from "./leaks.ts"
import { serve } from "./serve.ts"
import { installRecord } from "./settings.ts"

process.on("SIGHUP", () => {})

const options = {
  owner: { type: "string" },
  daemon: { type: "string" },
  helper: { type: "string" },
  stop: { type: "boolean", default: false },
  purge: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false }
} as const

const usage = (problem: string) =>
  new Refused({ problem, fix: "bangerd-root serve | install --owner USER [--daemon FILE] [--helper FILE] | uninstall [--stop] [--purge] | apply [--dry-run] | restart | check | leaks" })

/** The root side of banger: the helper itself, and what must work without it. */
const command = Effect.gen(function*() {
  const { positionals: [word], values } = yield* Effect.try({
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
      return yield* Effect.flatMap(installRecord, restart)
    case "check":
      return yield* Effect.flatMap(readinessAsConfigured(BUILD), (found) => Console.log(JSON.stringify(found.map((finding) => Schema.encodeSync(Finding)(finding)))))
    case "leaks":
      return yield* Effect.flatMap(leaks(NOTHING_KNOWN), (found) =>
        Console.log(found.length === 0 ? "nothing of banger's is left" : found.join("\n")))
    default:
      return yield* usage(`unknown command ${word ?? ""}`)
  }
})

/** Three lines at most, never a trace: what failed, and what mends it. */
const report = (cause: Cause.Cause<{ readonly message: string }>) => {
  const failure = Cause.failureOption(cause)
  const text = failure._tag === "Some"
    ? `error: ${failure.value.message}${"hint" in failure.value ? `\n  fix: ${String(failure.value.hint)}` : ""}`
    : Cause.pretty(cause)
  return Console.error(text)
}

command.pipe(
  Effect.tapErrorCause(report),
  Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.jsonLogger))),
  NodeRuntime.runMain({ disablePrettyLogger: true, disableErrorReporting: true })
)
