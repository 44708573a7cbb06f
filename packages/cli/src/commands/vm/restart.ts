import * as Options from "@effect/cli/Options"
import { STOP_TIMEOUT } from "@banger/domain/vm.ts"
import { command } from "../../command-line/command.ts"
import { as, json, verbose } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { EVENTS } from "../../output/watch.ts"
import { all, onMany } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

/** Those that this can be done to. */
const STATES = ["running"] as const

export default command({
  path: "vm restart",
  about: "Stops VMs, as banger vm stop does, and starts them again.",
  args: vmNames(STATES),
  flags: Options.all({ all, timeout: Options.text("timeout").pipe(Options.withPseudoName("TIME"), Options.withDescription("how long the guest may take to go down (10s)"), as(Values.duration)), verbose, json }),
  json: EVENTS,
  examples: [
    "banger vm restart sandbox"
  ],
  run: ({ args: vms, flags }) =>
    onMany({ vms, all: flags.all, states: STATES }, { doing: "restarting", ...flags }, (daemon, { vm, watch }) =>
      watch(daemon.vm.Restart({ vm, timeoutMs: flags.timeout ?? STOP_TIMEOUT })))
})
