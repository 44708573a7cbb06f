import { command } from "../../command-line/command.ts"
import * as Flags from "../../command-line/flags.ts"
import { rootBundle } from "./root-bundle.ts"

export default command({
  path: "system uninstall",
  about: "Removes banger from this host. Refused while VMs run, unless --stop; keeps state, unless --purge.",
  flags: { stop: Flags.on("stop running VMs"), purge: Flags.on("remove VMs, images and kernels too") },
  examples: ["sudo banger system uninstall", "sudo banger system uninstall --stop --purge"],
  run: ({ flags }) => rootBundle(["uninstall", ...(flags.stop ? ["--stop"] : []), ...(flags.purge ? ["--purge"] : [])])
})
