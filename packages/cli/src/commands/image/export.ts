import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { ImageName } from "@banger/domain/ids.ts"
import { size } from "@banger/domain/size.ts"
import { BUNDLE_FILE, writeBundle } from "../../bundle/write.ts"
import { files, images } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { as, json, needed } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { print, printJson } from "../../output/text.ts"
import { catalogName } from "../catalog-name.ts"

const EXAMPLE = "banger image export dev --bundle dev.bundle"

export default command({
  path: "image export",
  about: `Writes an image into one file that other hosts take: by banger bundle import, or from a catalog that names the file with the
sha256 and the size printed here (docs/images.md). The image's kernel does not go along: banger bundle export has it all.`,
  args: catalogName(ImageName, images),
  flags: Options.all({ bundle: Options.text("bundle").pipe(Options.withPseudoName("FILE"), Options.withDescription("where to write it"), as(Values.text, files)), json }),
  json: BUNDLE_FILE,
  examples: [EXAMPLE],
  run: ({ args: name, flags }) =>
    Effect.gen(function*() {
      const out = yield* needed("--bundle", flags.bundle, EXAMPLE)
      const image = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.image.Show({ name })))
      const packed = yield* writeBundle(out, [image], [], null)
      yield* flags.json ? printJson(BUNDLE_FILE, packed) : print(`${packed.path}: ${size(packed.bytes)}, sha256 ${packed.sha256}\n`)
      return 0
    })
})
