import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { json, verbose } from "../../command-line/options.ts"
import { withDaemon } from "../../daemon/daemon.ts"
import { canAsk, confirm } from "../../output/confirm.ts"
import { say } from "../../output/text.ts"
import { EVENTS } from "../../output/watch.ts"
import { all, chosen, each } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

export default command({
  path: "vm delete",
  about: `Deletes VMs and their disks, and returns when nothing of them is left. Asks first on a terminal.
With --all every VM that does not run; with --force, too, those that run.`,
  args: vmNames(),
  flags: Options.all({
    all,
    force: Options.boolean("force").pipe(Options.withAlias("f"), Options.withDescription("also those that run")),
    yes: Options.boolean("yes").pipe(Options.withAlias("y"), Options.withDescription("do not ask")),
    verbose,
    json
  }),
  json: EVENTS,
  examples: ["banger vm delete sandbox", "banger vm delete --yes --force sandbox other", "banger vm delete --all"],
  run: ({ args, flags }) =>
    withDaemon(Effect.gen(function*() {
      const vms = yield* chosen(args, flags.all, flags.force ? undefined : ["stopped", "crashed", "broken"])
      // Where nobody can answer, the command itself is the answer.
      const asks = !flags.yes && vms.length > 0 && canAsk()
      if (asks && !(yield* confirm(`delete ${vms.join(", ")} and what is on their disks?`))) return yield* Effect.as(say("nothing is deleted"), 1)
      return yield* each(vms, { doing: "deleting", ...flags }, (daemon, { vm, watch }) => watch(daemon.vm.Delete({ vm, force: flags.force })))
    }))
})
