import * as Effect from "effect/Effect"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { kernelExists, needed } from "../catalog-args.ts"
import { command } from "../command.ts"
import { Daemon, withDaemon } from "../daemon.ts"
import * as Decode from "../decode.ts"
import * as Flags from "../flags.ts"
import { IMAGE_FIELDS, imageJson } from "../output/catalog.ts"
import { print, printJson } from "../output/text.ts"
import { size } from "../output/units.ts"
import { checkExt4, stage } from "../staging.ts"

const USAGE = "banger image register --name NAME --rootfs FILE"

export default command({
  path: "image register",
  about: `Makes an image of a root file system (ext4). banger keeps a copy: the file may change or go afterwards.
A name that exists gets a new generation: new VMs use it, existing ones keep theirs.`,
  flags: {
    name: Flags.value("NAME", "name of the image", Decode.as(ImageName)),
    rootfs: Flags.value("FILE", "the root file system", Decode.text),
    "work-seed": Flags.value("FILE", "an ext4 that becomes the work disk, /root", Decode.text),
    kernel: Flags.value("KERNEL", "kernel that its VMs boot (without it: the default one)", Decode.as(KernelName)),
    json: Flags.json
  },
  fields: IMAGE_FIELDS,
  examples: [
    "banger image register --name alpine --rootfs ./alpine.ext4",
    "banger image register --name dev --rootfs ./dev.ext4 --work-seed ./home.ext4 --kernel host"
  ],
  run: ({ flags }) =>
    withDaemon(Effect.scoped(Effect.gen(function*() {
      const name = yield* needed("--name", flags.name, USAGE)
      const rootfs = yield* needed("--rootfs", flags.rootfs, USAGE)
      const seed = flags["work-seed"]
      const daemon = yield* Daemon
      yield* Effect.forEach(seed === undefined ? [rootfs] : [rootfs, seed], checkExt4)
      yield* kernelExists(flags.kernel)
      const image = yield* daemon.image.Register({
        name,
        rootfs: yield* stage(rootfs),
        ...(seed !== undefined && { workSeed: yield* stage(seed) }),
        ...(flags.kernel && { kernel: flags.kernel })
      })
      yield* flags.json ? printJson(imageJson(image)) : print(`${image.files.name}: registered, ${size(image.rootfsBytes)}\n`)
      return 0
    })))
})
