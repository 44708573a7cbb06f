import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { DiskMib, MemoryMib, Vcpu } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, either, json, verbose } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { EVENTS } from "../../output/watch.ts"
import { changePayload } from "./create-flags.ts"
import { all, onMany } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

export default command({
  path: "vm set",
  about: `Changes what VMs are: those that are stopped, from their next start on. --nat and --autostart take effect at once, in one that runs, too.
A disk only grows; the guest grows the file system in it when it boots. With --all every VM that is stopped.`,
  args: vmNames(),
  flags: Options.all({
    all,
    memory: Options.text("memory").pipe(Options.withPseudoName("MIB"), Options.withDescription("memory in MiB"), as(Values.number(MemoryMib))),
    vcpu: Options.text("vcpu").pipe(Options.withPseudoName("N"), Options.withDescription("virtual CPUs: 1, or an even number up to 32"), as(Values.number(Vcpu))),
    diskSize: Options.text("disk-size").pipe(Options.withPseudoName("SIZE"), Options.withDescription("size of the work disk, such as 16G"), as(Values.mib(DiskMib))),
    nat: either("nat").pipe(Options.withDescription("reach the internet, or not")),
    autostart: either("autostart").pipe(Options.withDescription("start them whenever the host boots, or not")),
    verbose,
    json
  }),
  json: EVENTS,
  examples: [
    "banger vm stop sandbox && banger vm set --memory 8192 --vcpu 4 sandbox && banger vm start sandbox",
    "banger vm set --disk-size 32G sandbox",
    "banger vm set --no-nat sandbox         # at once, also while it runs",
    "banger vm set --autostart sandbox      # it runs again after each boot of the host"
  ],
  run: ({ args: vms, flags }) => {
    const change = changePayload(flags)
    if (Object.keys(change).length === 0) return Effect.fail(new Misuse("nothing to change is given", "banger vm set NAME --memory MIB, --vcpu N, --disk-size SIZE, --nat, --no-nat, --autostart or --no-autostart"))
    return onMany({ vms, all: flags.all, states: ["stopped", "crashed"] }, { doing: "changing", ...flags }, (daemon, { vm, watch }) => watch(daemon.vm.Set({ vm, change })))
  }
})
