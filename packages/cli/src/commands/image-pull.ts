import * as Effect from "effect/Effect"
import { ImageReference } from "@banger/domain/api.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { DiskMib } from "@banger/domain/vm.ts"
import { command, one } from "../command.ts"
import { Daemon, withDaemon } from "../daemon.ts"
import * as Decode from "../decode.ts"
import * as Flags from "../flags.ts"
import { nameOf } from "../image-name.ts"
import { Misuse } from "../misuse.ts"
import { IMAGE_EVENT_FIELDS, watchImage } from "../output/image-progress.ts"

const SCHEME = "oci://"

export default command({
  path: "image pull",
  about: `Makes an image of a container image: fetched from its registry, verified, turned into a root file system.
Credentials are those of ~/.docker/config.json. Layers are kept, and shared by images; an interrupted pull goes on where it ended.
The same image again is only fetched when its digest is another.`,
  arguments: one("oci://REFERENCE"),
  flags: {
    name: Flags.value("NAME", "name of the image (debian:12 becomes debian-12)", Decode.as(ImageName)),
    size: Flags.value("SIZE", "size of the root file system, at least (8G)", Decode.mib(DiskMib)),
    kernel: Flags.value("KERNEL", "kernel that its VMs boot (without it: the default one)", Decode.as(KernelName)),
    insecure: Flags.on("allow HTTP, and certificates that nobody vouches for"),
    json: Flags.json
  },
  fields: IMAGE_EVENT_FIELDS,
  examples: [
    "banger image pull oci://debian:12",
    "banger image pull oci://ghcr.io/owner/tool:v2 --name tool --size 16G"
  ],
  run: ({ args: [given = ""], flags }) =>
    Effect.gen(function*() {
      if (!given.startsWith(SCHEME)) {
        return yield* Effect.fail(new Misuse(`${JSON.stringify(given)} is no address of an image`, `banger image pull ${SCHEME}${given}`))
      }
      const reference = yield* Effect.try({
        try: () => Decode.as(ImageReference)(given.slice(SCHEME.length)),
        catch: (error) => new Misuse(`${given}: ${(error as Error).message}`, "banger image pull --help shows examples")
      })
      const name = flags.name ?? (yield* Effect.try({
        try: () => Decode.as(ImageName)(nameOf(reference)),
        catch: () => new Misuse(`no name follows from ${given}`, "give one: --name NAME")
      }))
      yield* withDaemon(Effect.flatMap(Daemon, (daemon) =>
        watchImage(
          daemon.image.Pull({
            name, reference, insecure: flags.insecure,
            ...(flags.size && { sizeMib: flags.size }), ...(flags.kernel && { kernel: flags.kernel })
          }),
          flags.json
        )))
      return 0
    })
})
