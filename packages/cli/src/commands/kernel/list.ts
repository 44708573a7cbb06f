import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { KERNELS, since, users } from "../../output/catalog.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { printJson } from "../../output/text.ts"

export default command({
  path: "kernel list",
  about: "Lists the kernels.",
  args: Args.none,
  flags: Options.all({ json }),
  json: KERNELS,
  examples: ["banger kernel list", "banger kernel list --json"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const kernels = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.kernel.List()))
      yield* flags.json ? printJson(KERNELS, kernels) : page(table({
        heading: ["NAME", "RELEASE", "CREATED", "USED BY"],
        rows: kernels.map(({ createdAt, files, usedBy }) => [files.name, files.release, since(createdAt), users(usedBy)]),
        cut: ["USED BY", "CREATED", "RELEASE"]
      }))
      return 0
    })
})
