import * as Effect from "effect/Effect"
import { KernelName } from "@banger/domain/ids.ts"
import { named } from "../catalog-args.ts"
import { command, one } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print } from "../../output/text.ts"

export default command({
  path: "kernel delete",
  about: "Deletes a kernel. Refused while something uses it. Files of yours stay.",
  arguments: one("NAME"),
  flags: {},
  examples: ["banger kernel delete host-6.1"],
  run: ({ args }) =>
    Effect.gen(function*() {
      const name = yield* named(KernelName, args)
      yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.kernel.Delete({ name })))
      yield* print(`${name}: deleted\n`)
      return 0
    })
})
