import { command, several } from "../../command-line/command.ts"
import * as Decode from "../../command-line/values.ts"
import * as Flags from "../../command-line/flags.ts"
import { all, finished, onMany, STOP_TIMEOUT } from "./many-vms.ts"
import { EVENT_FIELDS } from "../../output/watch.ts"

export default command({
  path: "vm restart",
  about: "Stops VMs, as banger vm stop does, and starts them again.",
  arguments: several("NAME..."),
  flags: { all, timeout: Flags.value("TIME", "how long the guest may take to go down (10s)", Decode.duration), json: Flags.json },
  fields: EVENT_FIELDS,
  examples: [
    "banger vm restart sandbox"
  ],
  run: ({ args, flags }) =>
    onMany({ args, all: flags.all, states: ["running"] }, (daemon, vm) =>
      finished(vm, flags.json)(daemon.vm.Restart({ vm, timeoutMs: flags.timeout ?? STOP_TIMEOUT })))
})
