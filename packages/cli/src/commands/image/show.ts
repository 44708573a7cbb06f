import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { ImageName } from "@banger/domain/ids.ts"
import { size } from "@banger/domain/size.ts"
import { images } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { IMAGE, users } from "../../output/catalog.ts"
import { print, printJson, record } from "../../output/text.ts"
import { catalogName } from "../catalog-name.ts"

export default command({
  path: "image show",
  about: "Shows one image.",
  args: catalogName(ImageName, images),
  flags: Options.all({ json }),
  json: IMAGE,
  examples: ["banger image show debian-bookworm"],
  run: ({ args: name, flags }) =>
    Effect.gen(function*() {
      const image = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.image.Show({ name })))
      yield* flags.json ? printJson(IMAGE, image) : print(record([
        ["name", image.files.name],
        ["generation", String(image.files.generation)],
        ["size", size(image.rootfsBytes)],
        ["root file system", `sha256 ${image.files.rootfs}`],
        ["work seed", image.files.seed === null ? "none" : `sha256 ${image.files.seed}`],
        ["kernel", image.kernel ?? "the default"],
        ["made of", image.source === null ? "a file" : [image.source.reference, image.source.digest].filter((text) => text !== "").join(", ")],
        ["created", new Date(image.createdAt).toISOString()],
        ["used by", users(image.usedBy)]
      ]))
      return 0
    })
})
