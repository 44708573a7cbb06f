import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { VERSION } from "@banger/domain/version.ts"
import { command } from "../../command-line/command.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print, printJson, record } from "../../output/text.ts"

export default command({
  path: "daemon status",
  about: "Shows what the daemon is and does.",
  args: Args.none,
  flags: Options.all({ json }),
  fields: ["pid, version, helper (its version, or null), socket, dns, log, running, vms, client (this command's version)"],
  examples: ["banger daemon status", "banger daemon status --json"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const status = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Status()))
      yield* flags.json ? printJson({ ...status, client: VERSION }) : print(record([
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
