import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import { command } from "../../command-line/command.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { IMAGES, since, users } from "../../output/catalog.ts"
import { page } from "../../output/pager.ts"
import { table } from "../../output/table.ts"
import { printJson } from "../../output/text.ts"

export default command({
  path: "image list",
  about: "Lists the images.",
  args: Args.none,
  flags: Options.all({ json }),
  json: IMAGES,
  examples: ["banger image list", "banger image list --json"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const images = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.image.List()))
      yield* flags.json ? printJson(IMAGES, images) : page(table({
        heading: ["NAME", "SIZE", "KERNEL", "CREATED", "USED BY"],
        rows: images.map((image) => [image.files.name, size(image.rootfsBytes), image.kernel ?? "-", since(image.createdAt), users(image.usedBy)]),
        cut: ["USED BY", "KERNEL", "CREATED", "SIZE"]
      }))
      return 0
    })
})
