import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { ImageName } from "@banger/domain/ids.ts"
import { images } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print } from "../../output/text.ts"
import { catalogName } from "../catalog-name.ts"

export default command({
  path: "image delete",
  about: "Deletes an image. Refused while something uses it. Files of yours stay.",
  args: catalogName(ImageName, images),
  flags: Options.none,
  examples: ["banger image delete alpine"],
  run: ({ args: name }) =>
    Effect.gen(function*() {
      yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.image.Delete({ name })))
      yield* print(`${name}: deleted\n`)
      return 0
    })
})
