import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import { DiskUsage } from "@banger/domain/storage.ts"
import { command } from "../../command-line/command.ts"
import { one } from "../../command-line/json.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { printJson } from "../../output/text.ts"

const DISK_USAGE = one("disk usage", DiskUsage)

export default command({
  path: "df",
  about: `Shows what banger keeps on the disk. A file that several images or VMs share is counted once. ON DISK is what it really takes: disks of
VMs and images have holes. What is marked with * goes with banger prune.`,
  args: Args.none,
  flags: Options.all({ json }),
  json: DISK_USAGE,
  examples: ["banger df", "banger df --json | jq '[.usages[].allocatedBytes] | add'"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const usage = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.host.DiskUsage()))
      if (flags.json) return yield* Effect.as(printJson(DISK_USAGE, usage), 0)
      const rows = usage.usages.map(({ allocatedBytes, apparentBytes, name, removable, what }) => [what, `${name}${removable ? " *" : ""}`, size(allocatedBytes), size(apparentBytes)])
      const total = usage.usages.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0)
      yield* page(table({
        heading: ["KIND", "NAME", "ON DISK", "SIZE"],
        rows: [...rows, ["", "in all", size(total), ""], ["", "free on that disk", size(usage.freeBytes), ""]],
        cut: ["SIZE", "KIND", "ON DISK"]
      }))
      return 0
    })
})
