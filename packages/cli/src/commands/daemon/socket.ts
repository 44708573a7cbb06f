import * as Effect from "effect/Effect"
import { command } from "../../command-line/command.ts"
import { daemonSocket } from "../../host/paths.ts"
import { print } from "../../output/text.ts"

export default command({
  path: "daemon socket",
  about: "Prints the path of the daemon's socket.",
  flags: {},
  examples: ["banger daemon socket"],
  run: () => Effect.as(print(`${daemonSocket()}\n`), 0)
})
