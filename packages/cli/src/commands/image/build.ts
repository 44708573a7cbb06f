import * as fs from "node:fs/promises"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { BuildImage } from "@banger/domain/api.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { DEFAULT_DISK_MIB, DiskMib } from "@banger/domain/vm.ts"
import { files, images, kernels } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { as, json, needed, verbose } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { proxied } from "../../daemon/caller.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { LocalFailure } from "../../failure/errors.ts"
import { IMAGE_EVENTS, watchImage } from "../../output/image-progress.ts"
import { say } from "../../output/text.ts"

const EXAMPLE = "banger image build --name dev --script ./setup.sh"

const script = Values.decoder(BuildImage.fields.script)

const read = (path: string) =>
  Effect.tryPromise({ try: () => fs.readFile(path, "utf8"), catch: (error) => (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (error as Error).message }).pipe(
    Effect.flatMap(script),
    Effect.mapError((problem) => new LocalFailure({ problem: `cannot use the script ${path}: ${problem}`, fix: "" }))
  )

export default command({
  path: "image build",
  about: `Makes an image by a script, which runs as root in a fresh VM with a network: the VM's root file system becomes the image's,
and what lies in /root then is in /root of every VM made of it. An image that the same script has made of the same image is left as it is.
It goes on when this command ends: the same command watches it again. When it fails it leaves its output and, of a script in stages
(lines "# stage: NAME"), the stages before that one: the same command goes on there.`,
  args: Args.none,
  flags: Options.all({
    name: Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("name of the new image"), as(ImageName)),
    script: Options.text("script").pipe(Options.withPseudoName("FILE"), Options.withDescription("the script (without a #! line: run by sh -e)"), as(Values.text, files)),
    from: Options.text("from").pipe(Options.withPseudoName("IMAGE"), Options.withDescription("image to begin with (debian-bookworm)"), as(ImageName, images)),
    size: Options.text("size").pipe(Options.withPseudoName("SIZE"), Options.withDescription("size of the root file system, at least (8G)"), as(Values.mib(DiskMib))),
    diskSize: Options.text("disk-size").pipe(Options.withPseudoName("SIZE"), Options.withDescription("size of the builder's /root, and the least that of the image's VMs can have (8G)"), as(Values.mib(DiskMib))),
    docker: Options.boolean("docker").pipe(Options.withDescription("install Docker's engine first")),
    kernel: Options.text("kernel").pipe(Options.withPseudoName("KERNEL"), Options.withDescription("kernel that the build and the image's VMs boot (without it: the default one)"), as(KernelName, kernels)),
    again: Options.boolean("again").pipe(Options.withDescription("build also when nothing has changed: what the script fetches may have")),
    verbose,
    json
  }),
  json: IMAGE_EVENTS,
  examples: [
    EXAMPLE,
    "banger image build --name dev --from alpine --script ./setup.sh --docker --size 16G"
  ],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const name = yield* needed("--name", flags.name, EXAMPLE)
      const script = yield* read(yield* needed("--script", flags.script, EXAMPLE))
      const request = {
        name, script, from: flags.from ?? ImageName.make("debian-bookworm"), docker: flags.docker, again: flags.again, diskMib: flags.diskSize ?? DEFAULT_DISK_MIB,
        ...(flags.size && { sizeMib: flags.size }), ...(flags.kernel && { kernel: flags.kernel })
      }
      const session = yield* proxied
      yield* withDaemon(Effect.flatMap(Daemon, (daemon) => watchImage(name, daemon.image.Build({ ...request, session }), flags))).pipe(
        Effect.onInterrupt(() => say(`${name} is still being built: the same command watches it again; banger vm list shows the VM`))
      )
      return 0
    })
})
