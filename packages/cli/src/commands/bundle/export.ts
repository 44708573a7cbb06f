import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { basename, dirname } from "node:path"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { ImageNotFound, KernelNotFound } from "@banger/domain/errors.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { size } from "@banger/domain/size.ts"
import { BUNDLE_FILE, type Programs, writeBundle } from "../../bundle/write.ts"
import { files, images, kernels } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, each, json, needed } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { hostConfig } from "../../host/host-config.ts"
import { foundFirecracker } from "../../host/paths.ts"
import { print, printJson } from "../../output/text.ts"

const EXAMPLE = "banger bundle export --out banger.bundle --image debian-bookworm --kernel host --firecracker"

/** Those that VMs of this host run in. */
const programs = Effect.flatMap(hostConfig, ({ firecracker_bin }) => Effect.async<Programs, LocalFailure>((resume) => {
  const firecracker = firecracker_bin ?? foundFirecracker()
  execFile(firecracker, ["--version"], (error, stdout) => {
    const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
    resume(error !== null || version === undefined
      ? new LocalFailure({ problem: `${firecracker} is missing, or says no version`, fix: "banger doctor" })
      : Effect.succeed({ version, firecracker, jailer: `${dirname(firecracker)}/jailer` }))
  })
}))

/** What was asked for, of what there is. */
const chosen = <N extends string, A extends { readonly files: { readonly name: N } }, E>(all: ReadonlyArray<A>, names: ReadonlyArray<N>, missing: (name: N) => E): Effect.Effect<ReadonlyArray<A>, E> =>
  Effect.forEach(names, (name) => {
    const found = all.findLast(({ files }) => files.name === name)
    return found === undefined ? Effect.fail(missing(name)) : Effect.succeed(found)
  })

export default command({
  path: "bundle export",
  about: `Writes images, kernels and Firecracker into one file, for a host that reaches nothing: there banger bundle import takes it.
With --manifest, a small file beside it says where it will be and what it is: banger bundle import takes that, too.`,
  args: Args.none,
  flags: Options.all({
    out: Options.text("out").pipe(Options.withPseudoName("FILE"), Options.withDescription("where to write it"), as(Values.text, files)),
    image: Options.text("image").pipe(Options.withPseudoName("IMAGE"), Options.withDescription("an image (several times)"), each(ImageName, images)),
    kernel: Options.text("kernel").pipe(Options.withPseudoName("KERNEL"), Options.withDescription("a kernel (several times)"), each(KernelName, kernels)),
    firecracker: Options.boolean("firecracker").pipe(Options.withDescription("Firecracker and its jailer, those that VMs run in")),
    manifest: Options.text("manifest").pipe(Options.withPseudoName("FILE"), Options.withDescription("write a manifest"), as(Values.text, files)),
    url: Options.text("url").pipe(Options.withPseudoName("URL"), Options.withDescription("with --manifest: where the bundle will be; relative to the manifest (without it: its file name)"), as(Values.text)),
    json
  }),
  json: BUNDLE_FILE,
  examples: [EXAMPLE, "banger bundle export --out dev.bundle --image dev --manifest dev.json --url https://files.example/dev.bundle"],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const misuse = (problem: string) => Effect.fail(new Misuse(problem, EXAMPLE))
      const { manifest, url } = flags
      const out = yield* needed("--out", flags.out, EXAMPLE)
      if (url !== undefined && manifest === undefined) return yield* misuse("--url goes with --manifest")
      if (flags.image.length + flags.kernel.length === 0 && !flags.firecracker) return yield* misuse("nothing is named that goes into it")
      const { images, kernels } = yield* withDaemon(Effect.flatMap(Daemon, (daemon) =>
        Effect.all({
          images: Effect.flatMap(daemon.image.List(), (all) => chosen(all, flags.image, (name) => new ImageNotFound({ name }))),
          kernels: Effect.flatMap(daemon.kernel.List(), (all) => chosen(all, flags.kernel, (name) => new KernelNotFound({ name })))
        })))
      const packed = yield* writeBundle(out, images, kernels, flags.firecracker ? yield* programs : null)
      if (manifest !== undefined) {
        const { bytes, path, sha256 } = packed
        yield* Effect.tryPromise({
          try: () => fs.writeFile(manifest, `${JSON.stringify({ url: url ?? basename(path), sha256, bytes }, undefined, 2)}\n`),
          catch: (error) => new LocalFailure({ problem: `cannot write ${manifest}: ${(error as Error).message}`, fix: "" })
        })
      }
      yield* flags.json ? printJson(BUNDLE_FILE, packed) : print(`${packed.path}: ${size(packed.bytes)}, sha256 ${packed.sha256}\n`)
      return 0
    })
})
