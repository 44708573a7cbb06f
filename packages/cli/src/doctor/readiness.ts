import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Finding } from "@banger/domain/readiness.ts"
import { LocalFailure } from "../failure/errors.ts"
import { withoutNodes } from "../host/environment.ts"
import { beside } from "../host/paths.ts"

const Findings = Schema.parseJson(Schema.Array(Finding))

/** Each check of a host waits for tools of that host. */
const PATIENCE_MS = 60_000

/** What a VM will need of this host, asked without daemon and helper, as the caller: by the root bundle, which knows how. */
export const readiness: Effect.Effect<ReadonlyArray<Finding>, LocalFailure> = Effect.async<string, LocalFailure>((resume) => {
  const bundle = beside("bangerd-root.mjs")
  const child = execFile(process.execPath, [bundle, "check"], { env: withoutNodes(process.env), timeout: PATIENCE_MS, killSignal: "SIGKILL" }, (error, stdout, stderr) =>
    resume(error === null ? Effect.succeed(stdout) : Effect.fail(new LocalFailure({ problem: `the host cannot be checked: ${error.killed === true ? "it takes longer than a minute" : stderr.trim().split("\n")[0] || error.message}`, fix: `${process.execPath} ${bundle} check says more` }))))
  return Effect.sync(() => void child.kill("SIGKILL"))
}).pipe(
  Effect.flatMap((said) => Schema.decodeUnknown(Findings)(said)),
  Effect.catchTag("ParseError", () => Effect.fail(new LocalFailure({ problem: "lib/bangerd-root.mjs is of another version", fix: "make build" })))
)
