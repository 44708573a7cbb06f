import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { command } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { print } from "../../output/text.ts"

/** The daemon puts what it does in order before it ends. */
const PATIENCE = "20 seconds"

const gone = (pid: number) => Effect.try({ try: () => process.kill(pid, 0), catch: () => "gone" }).pipe(Effect.flip)

export default command({
  path: "daemon stop",
  about: "Stops the daemon. VMs keep running; the next command, or the next name that a guest looks up, starts it again.",
  args: Args.none,
  flags: Options.none,
  examples: ["banger daemon stop"],
  run: () =>
    Effect.gen(function*() {
      const { pid } = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Status()))
      yield* Effect.try({
        try: () => process.kill(pid, "SIGTERM"),
        catch: (error) => new LocalFailure({ problem: `cannot stop pid ${pid}: ${(error as Error).message}`, fix: "sudo systemctl stop bangerd.service" })
      })
      yield* gone(pid).pipe(
        Effect.retry(Schedule.spaced("50 millis")),
        Effect.timeoutFail({ duration: PATIENCE, onTimeout: () => new LocalFailure({ problem: `pid ${pid} has not ended within ${PATIENCE}`, fix: "journalctl -u bangerd -n 50" }) })
      )
      yield* print("the daemon has stopped; VMs keep running\n")
      return 0
    })
})
