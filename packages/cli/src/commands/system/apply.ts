import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import { command } from "../../command-line/command.ts"
import { rootBundle } from "../../host/root-bundle.ts"

export default command({
  path: "system apply",
  about: `Makes the host's keys of the owner's ~/.config/banger/config.toml count: firecracker_bin, [network] and [storage]. Checks them, says what
changes, writes it into /etc/banger/host.toml, which is all that root goes by, and restarts the services; VMs keep running. What can
only change while no VM runs is refused. Keys that the owner's file does not have stay as they are in root's. Safe to repeat.`,
  args: Args.none,
  flags: Options.all({ dryRun: Options.boolean("dry-run").pipe(Options.withDescription("only say what would change, and check it")) }),
  examples: ["sudo banger system apply --dry-run", "sudo banger system apply"],
  run: ({ flags }) => rootBundle(["apply", ...(flags.dryRun ? ["--dry-run"] : [])])
})
