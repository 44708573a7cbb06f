import { createInterface } from "node:readline/promises"
import * as Effect from "effect/Effect"
import type { VmRef } from "@banger/domain/ids.ts"
import { command, several } from "../command.ts"
import { withDaemon } from "../daemon.ts"
import * as Flags from "../flags.ts"
import { all, chosen, each, finished } from "../many-vms.ts"
import { say } from "../output/text.ts"
import { EVENT_FIELDS } from "../output/watch.ts"

/** Asks on a terminal; where nobody can answer, the command itself is the answer. */
const confirmed = (vms: ReadonlyArray<VmRef>): Effect.Effect<boolean> => {
  if (vms.length === 0 || process.stdin.isTTY !== true || process.stderr.isTTY !== true) return Effect.succeed(true)
  return Effect.acquireUseRelease(
    Effect.sync(() => createInterface({ input: process.stdin, output: process.stderr, terminal: false })),
    // Without an answer (end of file) nothing is deleted.
    (lines) => Effect.promise((signal) => Promise.race([
      lines.question(`delete ${vms.join(", ")} and what is on their disks? [y/N] `, { signal }),
      new Promise<string>((resolve) => lines.once("close", () => resolve("")))
    ])).pipe(Effect.map((answer) => /^y(es)?$/i.test(answer.trim()))),
    (lines) => Effect.sync(() => lines.close())
  )
}

export default command({
  path: "vm delete",
  about: "Deletes VMs and their disks, and returns when nothing of them is left. Asks first on a terminal.",
  arguments: several("NAME..."),
  flags: {
    all,
    force: Flags.on("also those that run", "f"),
    yes: Flags.on("do not ask", "y"),
    json: Flags.json
  },
  fields: EVENT_FIELDS,
  examples: ["banger vm delete sandbox", "banger vm delete --yes --force sandbox other", "banger vm delete --all"],
  run: ({ args, flags }) =>
    withDaemon(Effect.gen(function*() {
      const vms = yield* chosen(args, flags.all, flags.force ? undefined : ["stopped", "crashed", "broken"])
      if (!flags.yes && !(yield* confirmed(vms))) return yield* Effect.as(say("nothing is deleted"), 1)
      return yield* each(vms, (daemon, vm) => finished(vm, flags.json)(daemon.vm.Delete({ vm, force: flags.force })))
    }))
})
