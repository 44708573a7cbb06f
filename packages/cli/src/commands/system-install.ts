import * as Effect from "effect/Effect"
import { command } from "../command.ts"
import * as Decode from "../decode.ts"
import * as Flags from "../flags.ts"
import { Misuse } from "../misuse.ts"
import { rootBundle } from "../root-bundle.ts"

export default command({
  path: "system install",
  about: "Installs banger on this host for one user, or upgrades it; VMs keep running. Safe to repeat.",
  flags: {
    owner: Flags.value("USER", "the user whose banger it is", Decode.text),
    daemon: Flags.value("FILE", "a daemon of your own, in place of banger's (docs/custom-capabilities.md)", Decode.text),
    helper: Flags.value("FILE", "a root helper of your own, in place of banger's", Decode.text)
  },
  examples: [
    "sudo ./build/bin/banger system install --owner \"$USER\"",
    "sudo ./build/bin/banger system install --owner \"$USER\" --daemon ./build/lib/bangerd-mailbox.mjs"
  ],
  run: ({ flags }) =>
    flags.owner === undefined
      ? Effect.fail(new Misuse("--owner is missing", "sudo ./build/bin/banger system install --owner \"$USER\""))
      : rootBundle([
        "install", "--owner", flags.owner,
        ...(flags.daemon === undefined ? [] : ["--daemon", flags.daemon]),
        ...(flags.helper === undefined ? [] : ["--helper", flags.helper])
      ])
})
