import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import { VmName } from "@banger/domain/ids.ts"
import { fitting } from "../../command-line/arguments.ts"
import { command } from "../../command-line/command.ts"
import { json, verbose } from "../../command-line/options.ts"
import { EVENTS } from "../../output/watch.ts"
import { onMany } from "./many-vms.ts"
import { vmName } from "./vm-ref.ts"

export default command({
  path: "vm rename",
  about: `Gives a VM another name, also one that runs: NEW.vm is its name on the network, NEW its host name, and the former name is free.
Its id, its address and its disks stay as they are, and sessions in it go on; shells that run have the former name in their prompts.`,
  args: Args.all([vmName(), Args.text({ name: "NEW" }).pipe(fitting(VmName, "banger vm rename sandbox webshop"))]),
  flags: Options.all({ verbose, json }),
  json: EVENTS,
  examples: ["banger vm rename sandbox webshop"],
  run: ({ args: [vm, name], flags }) =>
    onMany({ vms: [vm], all: false, states: undefined }, { doing: "renaming", ...flags }, (daemon, { vm, watch }) => watch(daemon.vm.Set({ vm, change: { name } })))
})
