import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import { command } from "../../command-line/command.ts"
import { rootBundle } from "../../host/root-bundle.ts"

export default command({
  path: "system uninstall",
  about: "Removes banger from this host. Refused while VMs run, unless --stop; keeps state, unless --purge.",
  args: Args.none,
  flags: Options.all({ stop: Options.boolean("stop").pipe(Options.withDescription("stop running VMs")), purge: Options.boolean("purge").pipe(Options.withDescription("remove VMs, images and kernels too")) }),
  examples: ["sudo banger system uninstall", "sudo banger system uninstall --stop --purge"],
  run: ({ flags }) => rootBundle(["uninstall", ...(flags.stop ? ["--stop"] : []), ...(flags.purge ? ["--purge"] : [])])
})
