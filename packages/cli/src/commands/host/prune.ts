import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import { Usage } from "@banger/domain/storage.ts"
import { command } from "../../command-line/command.ts"
import { array } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print, printJson } from "../../output/text.ts"

const USAGES = array("usage", Usage)

export default command({
  path: "prune",
  about: `Removes what nothing uses: layers of container images (the next pull fetches them again), what killed commands left, files that belong
to no image and no kernel, empty work disks of sizes that no VM has. Images, kernels and VMs are never touched:
banger vm delete --all deletes every VM that does not run.`,
  args: Args.none,
  flags: Options.all({ dryRun: Options.boolean("dry-run").pipe(Options.withDescription("only say what would go")), json }),
  json: USAGES,
  examples: ["banger prune --dry-run", "banger prune"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const dryRun = flags.dryRun
      const gone = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.Prune({ dryRun })))
      if (flags.json) return yield* Effect.as(printJson(USAGES, gone), 0)
      const total = gone.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0)
      const lines = gone.map(({ allocatedBytes, name }) => `${name}: ${size(allocatedBytes)}\n`).join("")
      yield* print(`${lines}${size(total)} ${dryRun ? "would be freed" : "freed"}\n`)
      return 0
    })
})
