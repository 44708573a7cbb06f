import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { BuildImage } from "@banger/domain/api.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { DEFAULT_DISK_MIB, DiskMib } from "@banger/domain/vm.ts"
import { proxied } from "../../daemon/caller.ts"
import { needed } from "../catalog-args.ts"
import { command } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import * as Decode from "../../command-line/values.ts"
import { LocalFailure } from "../../failure/errors.ts"
import * as Flags from "../../command-line/flags.ts"
import { IMAGE_EVENT_FIELDS, watchImage } from "../../output/image-progress.ts"
import { say } from "../../output/text.ts"

const EXAMPLE = "banger image build --name dev --script ./setup.sh"

const read = (path: string) =>
  Effect.tryPromise({
    try: async () => Decode.as(BuildImage.fields.script)(await fs.readFile(path, "utf8")),
    catch: (error) => new LocalFailure({ problem: `cannot use the script ${path}: ${(error as Error).message}`, fix: "" })
  })

export default command({
  path: "image build",
  about: `Makes an image by a script, which runs as root in a fresh VM with a network: the VM's root file system becomes the image's,
and what lies in /root then is in /root of every VM made of it. An image that the same script has made of the same image is left as it is.
A failed build leaves nothing but its output. It goes on when this command ends: the same command watches it again.`,
  flags: {
    name: Flags.value("NAME", "name of the new image", Decode.as(ImageName)),
    script: Flags.value("FILE", "the script (without a #! line: run by sh -e)", Decode.text),
    from: Flags.value("IMAGE", "image to begin with (debian-bookworm)", Decode.as(ImageName)),
    size: Flags.value("SIZE", "size of the root file system, at least (8G)", Decode.mib(DiskMib)),
    "disk-size": Flags.value("SIZE", "size of the builder's /root, and the least that of the image's VMs can have (8G)", Decode.mib(DiskMib)),
    docker: Flags.on("install Docker's engine first"),
    kernel: Flags.value("KERNEL", "kernel that the build and the image's VMs boot (without it: the default one)", Decode.as(KernelName)),
    again: Flags.on("build also when nothing has changed: what the script fetches may have"),
    json: Flags.json
  },
  fields: IMAGE_EVENT_FIELDS,
  examples: [
    EXAMPLE,
    "banger image build --name dev --from alpine --script ./setup.sh --docker --size 16G"
  ],
  run: ({ flags }) =>
    Effect.gen(function*() {
      const name = yield* needed("--name", flags.name, EXAMPLE)
      const script = yield* read(yield* needed("--script", flags.script, EXAMPLE))
      const request = {
        name, script, from: flags.from ?? ImageName.make("debian-bookworm"), docker: flags.docker, again: flags.again, diskMib: flags["disk-size"] ?? DEFAULT_DISK_MIB,
        ...(flags.size && { sizeMib: flags.size }), ...(flags.kernel && { kernel: flags.kernel })
      }
      const session = yield* proxied
      yield* withDaemon(Effect.flatMap(Daemon, (daemon) => watchImage(daemon.image.Build({ ...request, session }), flags.json))).pipe(
        Effect.onInterrupt(() => say(`${name} is still being built: the same command watches it again; banger vm list shows the VM`))
      )
      return 0
    })
})
