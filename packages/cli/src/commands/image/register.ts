import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { size } from "@banger/domain/size.ts"
import { directories, files, kernels } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, json, needed } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { checkExt4, stage } from "../../host/staging.ts"
import { IMAGE } from "../../output/catalog.ts"
import { print, printJson } from "../../output/text.ts"
import { kernelExists } from "../kernel/kernel-exists.ts"
import { convertFiles, importKernel } from "../kernel/kernel-files.ts"

const USAGE = "banger image register --name NAME --rootfs FILE"

export default command({
  path: "image register",
  about: `Makes an image of a root file system (ext4). banger keeps a copy: the file may change or go afterwards.
A name that exists gets a new generation: new VMs use it, existing ones keep theirs.`,
  args: Args.none,
  flags: Options.all({
    name: Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("name of the image"), as(ImageName)),
    rootfs: Options.text("rootfs").pipe(Options.withPseudoName("FILE"), Options.withDescription("the root file system"), as(Values.text, files)),
    workSeed: Options.text("work-seed").pipe(Options.withPseudoName("FILE"), Options.withDescription("an ext4 that becomes the work disk, /root"), as(Values.text, files)),
    kernel: Options.text("kernel").pipe(Options.withPseudoName("KERNEL"), Options.withDescription("kernel that its VMs boot (without it: the default one)"), as(KernelName, kernels)),
    vmlinux: Options.text("vmlinux").pipe(Options.withPseudoName("FILE"), Options.withDescription("a kernel that is imported for it, under the image's name"), as(Values.text, files)),
    modules: Options.text("modules").pipe(Options.withPseudoName("DIR"), Options.withDescription("the modules of --vmlinux: lib/modules/RELEASE"), as(Values.text, directories)),
    json
  }),
  json: IMAGE,
  examples: [
    "banger image register --name alpine --rootfs ./alpine.ext4",
    "banger image register --name dev --rootfs ./dev.ext4 --work-seed ./home.ext4 --kernel host",
    "banger image register --name fedora --rootfs ./fedora.ext4 --vmlinux ./boot/vmlinuz-6.12 --modules ./lib/modules/6.12"
  ],
  run: ({ flags }) =>
    withDaemon(Effect.scoped(Effect.gen(function*() {
      const name = yield* needed("--name", flags.name, USAGE)
      const rootfs = yield* needed("--rootfs", flags.rootfs, USAGE)
      const { kernel, modules, vmlinux, workSeed: seed } = flags
      if ((vmlinux === undefined) !== (modules === undefined)) return yield* Effect.fail(new Misuse("--vmlinux and --modules go together", USAGE))
      if (vmlinux !== undefined && kernel !== undefined) return yield* Effect.fail(new Misuse("give the image's kernel once: --kernel, or --vmlinux and --modules", USAGE))
      const daemon = yield* Daemon
      yield* Effect.forEach(seed === undefined ? [rootfs] : [rootfs, seed], checkExt4)
      yield* kernelExists(kernel)
      const own = vmlinux !== undefined && modules !== undefined
        ? (yield* importKernel(KernelName.make(name), ({ out }) => convertFiles(vmlinux, modules, out))).files.name
        : kernel
      const image = yield* daemon.image.Register({
        name,
        rootfs: yield* stage(rootfs),
        ...(seed !== undefined && { workSeed: yield* stage(seed) }),
        ...(own !== undefined && { kernel: own })
      })
      yield* flags.json ? printJson(IMAGE, image) : print(`${image.files.name}: registered, ${size(image.rootfsBytes)}\n`)
      return 0
    })))
})
