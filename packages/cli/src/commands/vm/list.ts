import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import type { VmView } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { print, printJson } from "../../output/text.ts"
import { mib } from "../../output/units.ts"
import { stateText, uptime, VMS } from "../../output/vm.ts"

const row = (vm: VmView) =>
  [vm.name, stateText(vm), vm.image, String(vm.vcpu), mib(vm.memoryMib), vm.address, uptime(vm)]

export default command({
  path: "vm list",
  about: "Lists the VMs that are not stopped; with --all, all of them.",
  args: Args.none,
  flags: Options.all({
    all: Options.boolean("all").pipe(Options.withAlias("a"), Options.withDescription("stopped ones too")),
    quiet: Options.boolean("quiet").pipe(Options.withAlias("q"), Options.withDescription("ids only")),
    json
  }),
  json: VMS,
  examples: ["banger vm list", "banger vm list --all --json", "banger vm exec $(banger vm list -q | head -1) -- uptime"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const all = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.vm.List()))
      const vms = all.filter(({ state }) => flags.all || state !== "stopped").toSorted((a, b) => a.name < b.name ? -1 : 1)
      if (flags.json) yield* printJson(VMS, vms)
      else if (flags.quiet) yield* print(vms.map(({ id }) => `${id}\n`).join(""))
      else yield* page(table({ heading: ["NAME", "STATE", "IMAGE", "VCPU", "MEMORY", "IP", "UPTIME"], rows: vms.map(row), cut: ["VCPU", "MEMORY", "UPTIME", "IMAGE", "STATE", "IP"] }))
      return 0
    })
})
