import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { daemonSocket } from "../../host/paths.ts"
import { print } from "../../output/text.ts"

export default command({
  path: "daemon socket",
  about: "Prints the path of the daemon's socket.",
  args: Args.none,
  flags: Options.none,
  examples: ["banger daemon socket"],
  run: () => Effect.as(print(`${daemonSocket()}\n`), 0)
})
