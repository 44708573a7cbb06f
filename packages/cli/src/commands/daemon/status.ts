import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { DaemonStatus } from "@banger/domain/api.ts"
import { VERSION } from "@banger/domain/version.ts"
import { command } from "../../command-line/command.ts"
import { one } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print, printJson, record } from "../../output/text.ts"

const STATUS = one("status of the daemon", Schema.Struct({ ...DaemonStatus.fields, client: Schema.String.pipe(about("version of this command")) }))

export default command({
  path: "daemon status",
  about: "Shows what the daemon is and does.",
  args: Args.none,
  flags: Options.all({ json }),
  json: STATUS,
  examples: ["banger daemon status", "banger daemon status --json"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const status = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Status()))
      yield* flags.json ? printJson(STATUS, { ...status, client: VERSION }) : print(record([
        ["daemon", `${status.version}, pid ${status.pid}`],
        ["helper", status.helper ?? "does not answer"],
        ["client", VERSION],
        ["vms", `${status.running} running of ${status.vms}`],
        ["socket", status.socket],
        ["dns", status.dns],
        ["log", status.log]
      ]))
      return 0
    })
})
