import { command, several } from "../../command-line/command.ts"
import * as Decode from "../../command-line/values.ts"
import * as Flags from "../../command-line/flags.ts"
import { all, finished, onMany, STOP_TIMEOUT } from "./many-vms.ts"
import { EVENT_FIELDS } from "../../output/watch.ts"

export default command({
  path: "vm stop",
  about: "Stops VMs: the guest is asked first, and killed when it takes too long. Disks stay.",
  arguments: several("NAME..."),
  flags: { all, timeout: Flags.value("TIME", "how long the guest may take to go down (10s)", Decode.duration), json: Flags.json },
  fields: EVENT_FIELDS,
  examples: [
    "banger vm stop sandbox",
    "banger vm stop --all --timeout 30s"
  ],
  run: ({ args, flags }) =>
    onMany({ args, all: flags.all, states: ["running", "paused", "starting"] }, (daemon, vm) =>
      finished(vm, flags.json)(daemon.vm.Stop({ vm, timeoutMs: flags.timeout ?? STOP_TIMEOUT })))
})
