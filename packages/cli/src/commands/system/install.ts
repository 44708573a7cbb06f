import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import * as Decode from "../../command-line/values.ts"
import { fails, lines } from "../../doctor/findings.ts"
import { readiness } from "../../doctor/readiness.ts"
import { FAILED } from "../../failure/exit.ts"
import * as Flags from "../../command-line/flags.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { print } from "../../output/text.ts"
import { rootBundle } from "./root-bundle.ts"

export default command({
  path: "system install",
  about: "Installs banger on this host for one user, or upgrades it; VMs keep running. Safe to repeat.",
  flags: {
    owner: Flags.value("USER", "the user whose banger it is", Decode.text),
    daemon: Flags.value("FILE", "a daemon of your own, in place of banger's (docs/custom-capabilities.md)", Decode.text),
    check: Flags.on("only say what this host lacks; with sudo also what only root is told"),
    helper: Flags.value("FILE", "a root helper of your own, in place of banger's", Decode.text)
  },
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
