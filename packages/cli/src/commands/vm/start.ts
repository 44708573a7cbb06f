import { command, several } from "../../command-line/command.ts"
import * as Flags from "../../command-line/flags.ts"
import { all, finished, onMany } from "./many-vms.ts"
import { EVENT_FIELDS } from "../../output/watch.ts"

export default command({
  path: "vm start",
  about: "Starts stopped VMs.",
  arguments: several("NAME..."),
  flags: { all, json: Flags.json },
  fields: EVENT_FIELDS,
  examples: [
    "banger vm start sandbox",
    "banger vm start --all"
  ],
  run: ({ args, flags }) =>
    onMany({ args, all: flags.all, states: ["stopped", "crashed", "broken"] }, (daemon, vm) =>
      finished(vm, flags.json)(daemon.vm.Start({ vm })))
})
