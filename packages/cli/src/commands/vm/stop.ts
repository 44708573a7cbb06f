import * as Options from "@effect/cli/Options"
import { STOP_TIMEOUT } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { as, json, verbose } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { EVENTS } from "../../output/watch.ts"
import { all, onMany } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

/** Those that this can be done to. */
const STATES = ["running", "paused", "starting"] as const

export default command({
  path: "vm stop",
  about: "Stops VMs: the guest is asked first, and killed when it takes too long. Disks stay.",
  args: vmNames(STATES),
  flags: Options.all({ all, timeout: Options.text("timeout").pipe(Options.withPseudoName("TIME"), Options.withDescription("how long the guest may take to go down (10s)"), as(Values.duration)), verbose, json }),
  json: EVENTS,
  examples: [
    "banger vm stop sandbox",
    "banger vm stop --all --timeout 30s"
  ],
  run: ({ args: vms, flags }) =>
    onMany({ vms, all: flags.all, states: STATES }, { doing: "stopping", ...flags }, (daemon, { vm, watch }) =>
      watch(daemon.vm.Stop({ vm, timeoutMs: flags.timeout ?? STOP_TIMEOUT })))
})
