import { basename } from "node:path"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { DiskMib } from "@banger/domain/vm.ts"
import { files, kernels, offering } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, json, verbose } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { stage } from "../../host/staging.ts"
import { IMAGE_EVENTS, orCancel, watchImage } from "../../output/image-progress.ts"
import { kernelExists } from "../kernel/kernel-exists.ts"

const imageName = Values.decoder(ImageName)

/** Suffixes that say what a file is, not what it holds. */
const SUFFIXES = /(\.(tar|gz|tgz|zst|xz|bz2))+$/

export default command({
  path: "image import",
  about: `Makes an image of what lies in a file or directory: an OCI layout, what docker save or podman save wrote, or the archive of
a root file system (tar); all of them also compressed. What it has in /root is in /root of its VMs. Nothing is unpacked on this host, and no root is needed. banger image register takes an ext4, banger bundle import a bundle.`,
  args: Args.text({ name: "FILE|DIR" }).pipe(offering(files)),
  flags: Options.all({
    name: Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("name of the image (the file's)"), as(ImageName)),
    size: Options.text("size").pipe(Options.withPseudoName("SIZE"), Options.withDescription("size of the root file system, at least (8G)"), as(Values.mib(DiskMib))),
    kernel: Options.text("kernel").pipe(Options.withPseudoName("KERNEL"), Options.withDescription("kernel that its VMs boot (without it: the default one)"), as(KernelName, kernels)),
    verbose,
    json
  }),
  json: IMAGE_EVENTS,
  examples: [
    "docker save app:1 -o app.tar && banger image import app.tar",
    "banger image import ./layout --name tool --size 16G"
  ],
  run: ({ args: path, flags }) =>
    withDaemon(Effect.scoped(Effect.gen(function*() {
      const name = flags.name ?? (yield* Effect.mapError(imageName(basename(path).replace(SUFFIXES, "").toLowerCase()), () =>
        new Misuse(`no name follows from ${JSON.stringify(path)}`, "give one: --name NAME")))
      yield* kernelExists(flags.kernel)
      const daemon = yield* Daemon
      const staging = yield* stage(path)
      const sizeMib = flags.size && { sizeMib: flags.size }
      yield* orCancel(name, watchImage(name, daemon.image.Import({ name, path, staging, ...sizeMib, ...(flags.kernel && { kernel: flags.kernel }) }), flags))
      return 0
    })))
})
