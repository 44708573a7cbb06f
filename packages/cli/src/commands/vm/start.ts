import * as Options from "@effect/cli/Options"
import { command } from "../../command-line/command.ts"
import { json, verbose } from "../../command-line/options.ts"
import { EVENTS } from "../../output/watch.ts"
import { all, onMany } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

/** Those that this can be done to. */
const STATES = ["stopped", "crashed", "broken"] as const

export default command({
  path: "vm start",
  about: "Starts stopped VMs.",
  args: vmNames(STATES),
  flags: Options.all({ all, verbose, json }),
  json: EVENTS,
  examples: [
    "banger vm start sandbox",
    "banger vm start --all"
  ],
  run: ({ args: vms, flags }) =>
    onMany({ vms, all: flags.all, states: STATES }, { doing: "starting", ...flags }, (daemon, { vm, watch }) =>
      watch(daemon.vm.Start({ vm })))
})
