import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import { command } from "../../command-line/command.ts"
import { rootBundle } from "../../host/root-bundle.ts"

export default command({
  path: "system restart",
  about: "Restarts the daemon and the helper, and applies /etc/banger/host.toml; a firewalld that came later gets banger's zone. VMs keep running.",
  args: Args.none,
  flags: Options.none,
  examples: ["sudo banger system restart"],
  run: () => rootBundle(["restart"])
})
