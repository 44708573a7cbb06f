import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { files } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { fails, lines } from "../../doctor/findings.ts"
import { readiness } from "../../doctor/readiness.ts"
import { FAILED } from "../../failure/exit.ts"
import { print } from "../../output/text.ts"
import { rootBundle } from "../../host/root-bundle.ts"

export default command({
  path: "system install",
  about: "Installs banger on this host for one user, or upgrades it; VMs keep running. Safe to repeat.",
  args: Args.none,
  flags: Options.all({
    owner: Options.text("owner").pipe(Options.withPseudoName("USER"), Options.withDescription("the user whose banger it is"), as(Values.text)),
    daemon: Options.text("daemon").pipe(Options.withPseudoName("FILE"), Options.withDescription("a daemon of your own, in place of banger's (docs/custom-capabilities.md)"), as(Values.text, files)),
    check: Options.boolean("check").pipe(Options.withDescription("only say what this host lacks; with sudo also what only root is told")),
    helper: Options.text("helper").pipe(Options.withPseudoName("FILE"), Options.withDescription("a root helper of your own, in place of banger's"), as(Values.text, files))
  }),
  examples: [
    "./build/bin/banger system install --check",
    "sudo ./build/bin/banger system install --owner \"$USER\"",
    "sudo ./build/bin/banger system install --owner \"$USER\" --daemon ./build/lib/bangerd-mailbox.mjs"
  ],
  run: ({ flags }) =>
    flags.check
      ? Effect.flatMap(readiness, (found) => Effect.as(print(found.map(lines).join("")), fails(found) ? FAILED : 0))
      : flags.owner === undefined
      ? Effect.fail(new Misuse("--owner is missing", "sudo ./build/bin/banger system install --owner \"$USER\""))
      : rootBundle([
        "install", "--owner", flags.owner,
        ...(flags.daemon === undefined ? [] : ["--daemon", flags.daemon]),
        ...(flags.helper === undefined ? [] : ["--helper", flags.helper])
      ])
})
