import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import type { VmView } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { json, verbose } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { canAsk, confirm } from "../../output/confirm.ts"
import { say } from "../../output/text.ts"
import { EVENTS } from "../../output/watch.ts"
import { unpulled } from "../../way-back/unpulled.ts"
import { all, chosen, each } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

export default command({
  path: "vm delete",
  about: `Deletes VMs and their disks, and returns when nothing of them is left. Asks first on a terminal.
Says which commits of a VM that runs nobody has pulled (banger vm pull). With --all every VM that does not run; with --force, too, those that run.`,
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
      const known: ReadonlyArray<VmView> = flags.force && vms.length > 0 ? yield* Effect.flatMap(Daemon, (daemon) => daemon.vm.List()) : []
      const meant = new Set<string>(vms)
      const lost = yield* Effect.forEach(known.filter(({ id, name, state }) => state === "running" && (meant.has(id) || meant.has(name))), unpulled, { concurrency: "unbounded" })
      yield* Effect.forEach(lost.flat(), (what) => say(`${what}; banger vm pull takes them over`), { discard: true })
      // Where nobody can answer, the command itself is the answer.
      const asks = !flags.yes && vms.length > 0 && canAsk()
      if (asks && !(yield* confirm(`delete ${vms.join(", ")} and what is on their disks?`))) return yield* Effect.as(say("nothing is deleted"), 1)
      return yield* each(vms, { doing: "deleting", ...flags }, (daemon, { vm, watch }) => watch(daemon.vm.Delete({ vm, force: flags.force })))
    }))
})
