import { lstatSync } from "node:fs"
import { resolve } from "node:path"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { bundled } from "@banger/domain/bundle.ts"
import { ImageName } from "@banger/domain/ids.ts"
import { bundleAt } from "../../bundle/manifest.ts"
import { openBundle } from "../../bundle/read.ts"
import { files, offering } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { one } from "../../command-line/json.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, json } from "../../command-line/options.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { moving } from "../../output/progress.ts"
import { print, printJson } from "../../output/text.ts"
import { userConfig } from "../../run/user-config.ts"

const IMPORTED = one("what was imported", Schema.Struct({
  images: Schema.Array(Schema.String).pipe(about("their names")),
  kernels: Schema.Array(Schema.String).pipe(about("their names")),
  firecracker: Schema.Array(Schema.String).pipe(about("paths of the programs that were unpacked"))
}))

export default command({
  path: "bundle import",
  about: `Takes what a bundle holds: its images and kernels, under their names. Given a manifest (.json, a file or an address), fetches the
bundle that it names and checks its sha256. Firecracker is only unpacked: installing it is root's.`,
  args: Args.text({ name: "FILE|MANIFEST" }).pipe(offering(files)),
  flags: Options.all({
    name: Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("name of the image, where the bundle holds one"), as(ImageName)),
    json
  }),
  json: IMPORTED,
  examples: ["banger bundle import banger.bundle", "banger bundle import https://files.example/banger.json", "banger bundle import dev.bundle --name dev2"],
  run: ({ args: source, flags }) =>
    withDaemon(Effect.scoped(Effect.gen(function*() {
      const daemon = yield* Daemon
      yield* daemon.host.Status()
      const opened = (words: ReadonlyArray<string>) => moving(`reading ${source}`, (told) => openBundle(words, source, told))
      const { contents: { firecracker, images, kernels }, copy, has, staged } = yield* opened(yield* bundleAt(source, yield* userConfig))
      if (flags.name !== undefined && images.length !== 1) return yield* Effect.fail(new Misuse(`the bundle holds ${images.length} images: --name is for one`, "leave --name out"))
      for (const { name, run, source: origin } of images) {
        const seed = bundled.seed(name)
        yield* daemon.image.Register({
          name: flags.name ?? name, rootfs: yield* staged(bundled.rootfs(name)), ...(has(seed) && { workSeed: yield* staged(seed) }),
          ...(run !== null && { run }), ...(origin !== null && { source: origin })
        })
      }
      for (const { name, release } of kernels) {
        const file = (what: "vmlinux" | "initrd" | "modules") => staged(bundled.kernel(name, what))
        yield* daemon.kernel.Import({ name, release, vmlinux: yield* file("vmlinux"), initrd: yield* file("initrd"), modules: yield* file("modules") })
      }
      const programs = firecracker === null ? [] : [bundled.firecracker, bundled.jailer]
      // Whatever stands here, a link above all, is not ours to write over.
      const standing = programs.find((name) => lstatSync(name, { throwIfNoEntry: false }) !== undefined)
      if (standing !== undefined) return yield* new LocalFailure({ problem: `${resolve(standing)} is there already, and the bundle holds one`, fix: "move it away, or run this in another directory; images and kernels are imported" })
      yield* Effect.forEach(programs, (name) => copy(name, name))
      const result = { images: images.map(({ name }) => flags.name ?? name), kernels: kernels.map(({ name }) => name), firecracker: programs.map((name) => resolve(name)) }
      if (flags.json) return yield* Effect.as(printJson(IMPORTED, result), 0)
      yield* print([
        ...result.images.map((name) => `image ${name}\n`),
        ...result.kernels.map((name) => `kernel ${name}\n`),
        ...(firecracker === null ? [] : [`firecracker ${firecracker}, which root will run: if you trust who made the bundle, sudo install -m 0755 ${result.firecracker.join(" ")} /usr/local/bin/\n`])
      ].join(""))
      return 0
    })))
})
