import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import * as Flags from "../../command-line/flags.ts"
import { day, KERNEL_FIELDS, kernelJson, users } from "../../output/catalog.ts"
import { print, printJson, table } from "../../output/text.ts"

export default command({
  path: "kernel list",
  about: "Lists the kernels.",
  flags: { json: Flags.json },
  fields: ["an array of", ...KERNEL_FIELDS],
  examples: ["banger kernel list", "banger kernel list --json"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const kernels = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.kernel.List()))
      yield* flags.json ? printJson(kernels.map((kernel) => kernelJson(kernel))) : print(table([
        ["NAME", "RELEASE", "CREATED", "USED BY"],
        ...kernels.map(({ createdAt, files, usedBy }) => [files.name, files.release, day(createdAt), users(usedBy)])
      ]))
      return 0
    })
})
