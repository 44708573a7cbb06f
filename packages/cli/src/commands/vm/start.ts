import * as Options from "@effect/cli/Options"
import { command } from "../../command-line/command.ts"
import { json } from "../../command-line/options.ts"
import { EVENT_FIELDS } from "../../output/watch.ts"
import { all, finished, onMany } from "./many-vms.ts"
import { vmNames } from "./vm-ref.ts"

/** Those that this can be done to. */
const STATES = ["stopped", "crashed", "broken"] as const

export default command({
  path: "vm start",
  about: "Starts stopped VMs.",
  args: vmNames(STATES),
  flags: Options.all({ all, json }),
  fields: EVENT_FIELDS,
  examples: [
    "banger vm start sandbox",
    "banger vm start --all"
  ],
  run: ({ args: vms, flags }) =>
    onMany({ vms, all: flags.all, states: STATES }, (daemon, vm) =>
      finished(vm, flags.json)(daemon.vm.Start({ vm })))
})
