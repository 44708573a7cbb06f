import * as Effect from "effect/Effect"
import { ImageName } from "@banger/domain/ids.ts"
import { named } from "../catalog-args.ts"
import { command, one } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print } from "../../output/text.ts"

export default command({
  path: "image delete",
  about: "Deletes an image. Refused while something uses it. Files of yours stay.",
  arguments: one("NAME"),
  flags: {},
  examples: ["banger image delete alpine"],
  run: ({ args }) =>
    Effect.gen(function*() {
      const name = yield* named(ImageName, args)
      yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.image.Delete({ name })))
      yield* print(`${name}: deleted\n`)
      return 0
    })
})
