import { basename } from "node:path"
import * as Effect from "effect/Effect"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { DiskMib } from "@banger/domain/vm.ts"
import { kernelExists } from "../catalog-args.ts"
import { command, one } from "../../command-line/command.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import * as Decode from "../../command-line/values.ts"
import * as Flags from "../../command-line/flags.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { IMAGE_EVENT_FIELDS, orCancel, watchImage } from "../../output/image-progress.ts"
import { stage } from "../../host/staging.ts"

/** Suffixes that say what a file is, not what it holds. */
const SUFFIXES = /(\.(tar|gz|tgz|zst|xz|bz2))+$/

export default command({
  path: "image import",
  about: `Makes an image of what lies in a file or directory: an OCI layout, what docker save or podman save wrote, or the archive of
a root file system (tar); all of them also compressed. What it has in /root is in /root of its VMs. Nothing is unpacked on this host, and no root is needed. banger image register takes an ext4, banger bundle import a bundle.`,
  arguments: one("FILE|DIR"),
  flags: {
    name: Flags.value("NAME", "name of the image (the file's)", Decode.as(ImageName)),
    size: Flags.value("SIZE", "size of the root file system, at least (8G)", Decode.mib(DiskMib)),
    kernel: Flags.value("KERNEL", "kernel that its VMs boot (without it: the default one)", Decode.as(KernelName)),
    json: Flags.json
  },
  fields: IMAGE_EVENT_FIELDS,
  examples: [
    "docker save app:1 -o app.tar && banger image import app.tar",
    "banger image import ./layout --name tool --size 16G"
  ],
  run: ({ args: [path = ""], flags }) =>
    withDaemon(Effect.scoped(Effect.gen(function*() {
      const name = flags.name ?? (yield* Effect.try({
        try: () => Decode.as(ImageName)(basename(path).replace(SUFFIXES, "").toLowerCase()),
        catch: () => new Misuse(`no name follows from ${JSON.stringify(path)}`, "give one: --name NAME")
      }))
      yield* kernelExists(flags.kernel)
      const daemon = yield* Daemon
      const staging = yield* stage(path)
      const sizeMib = flags.size && { sizeMib: flags.size }
      yield* orCancel(name, watchImage(daemon.image.Import({ name, path, staging, ...sizeMib, ...(flags.kernel && { kernel: flags.kernel }) }), flags.json))
      return 0
    })))
})
