import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Image } from "@banger/domain/catalog.ts"
import { ImageName } from "@banger/domain/ids.ts"
import { named } from "../catalog-args.ts"
import { command, one } from "../command.ts"
import { Daemon, withDaemon } from "../daemon.ts"
import * as Decode from "../decode.ts"
import { LocalFailure } from "../errors.ts"
import * as Flags from "../flags.ts"
import { beside, STORE } from "../host-paths.ts"
import { Misuse } from "../misuse.ts"
import { print, printJson } from "../output/text.ts"
import { size } from "../output/units.ts"

const Packed = Schema.parseJson(Schema.Struct({ packed: Schema.Struct({ sha256: Schema.String, bytes: Schema.Number }) }))
const Failed = Schema.parseJson(Schema.Struct({ error: Schema.Struct({ message: Schema.String, fix: Schema.String }) }))

/** Runs banger-bundle, whose last line says how it ended. It ends with its stdin, so with us. */
const pack = (out: string, about: string, files: ReadonlyArray<string>) =>
  Effect.async<typeof Packed.Type["packed"], LocalFailure>((resume) => {
    const program = fileURLToPath(beside("banger-bundle"))
    const child = execFile(program, ["pack", "--out", out, "--about", about, ...files], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const last = stdout.trim().split("\n").at(-1) ?? ""
      const packed = Schema.decodeUnknownOption(Packed)(last)
      if (error === null && packed._tag === "Some") return resume(Effect.succeed(packed.value.packed))
      const said = Schema.decodeUnknownOption(Failed)(last)
      const problem = said._tag === "Some" ? said.value.error.message : stderr.trim() || error?.message || "it came to no result"
      resume(new LocalFailure({ problem: `cannot write ${out}: ${problem}`, fix: said._tag === "Some" ? said.value.error.fix : "" }))
    })
    // It removes what it has written so far.
    return Effect.sync(() => void child.stdin?.end())
  })

/** What of the image's record goes along: nothing of this host. */
const aboutOf = ({ run, source }: typeof Image.Encoded) => JSON.stringify({ run: run ?? null, source: source ?? null })

export default command({
  path: "image export",
  about: `Writes an image into one file that other hosts take: by banger image import --bundle, or from a catalog that names the file with the
sha256 and the size printed here (docs/images.md). The image's kernel does not go along.`,
  arguments: one("NAME"),
  flags: { bundle: Flags.value("FILE", "where to write it", Decode.text), json: Flags.json },
  fields: ["path, sha256, bytes"],
  examples: ["banger image export dev --bundle dev.bundle"],
  run: ({ args, flags }) =>
    Effect.gen(function*() {
      if (flags.bundle === undefined) return yield* Effect.fail(new Misuse("--bundle is missing", "banger image export dev --bundle dev.bundle"))
      const path = resolve(flags.bundle)
      const name = yield* named(ImageName, args)
      const image = yield* withDaemon(Effect.flatMap(Daemon, (daemon) => daemon.image.Show({ name })))
      const { rootfs, seed } = image.files
      const packed = yield* pack(path, aboutOf(Schema.encodeSync(Image)(image)), [rootfs, ...(seed === null ? [] : [seed])].map((digest) => `${STORE}/${digest}`))
      yield* flags.json ? printJson({ path, ...packed }) : print(`${path}: ${size(packed.bytes)}, sha256 ${packed.sha256}\n`)
      return 0
    })
})
