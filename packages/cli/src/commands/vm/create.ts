import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { json, verbose } from "../../command-line/options.ts"
import { withDaemon } from "../../daemon/daemon.ts"
import { EVENTS, watch } from "../../output/watch.ts"
import { create } from "../../run/create-vm.ts"
import { createFlags, createPayload } from "./create-flags.ts"

export default command({
  path: "vm create",
  about: "Creates a VM and boots it. Prints its name.",
  args: Args.none,
  flags: Options.all({ ...createFlags, verbose, json }),
  json: EVENTS,
  examples: [
    "banger vm create --name sandbox",
    "banger vm create --image debian-bookworm --vcpu 4 --memory 4096 --disk-size 16G",
    "name=$(banger vm create)"
  ],
  run: ({ flags }) =>
    withDaemon(watch(create(createPayload(flags), flags.verbose), flags, ({ vm }) => vm.name)).pipe(Effect.as(0))
})
