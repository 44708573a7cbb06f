import { existsSync } from "node:fs"
import { release } from "node:os"
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { BadSource } from "@banger/domain/errors.ts"
import { kernelFiles } from "@banger/domain/host-kernel.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { directories, files, images } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, each, json } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { withDaemon } from "../../daemon/daemon.ts"
import { KERNEL } from "../../output/catalog.ts"
import { print, printJson } from "../../output/text.ts"
import { convert, convertFiles, importKernel, readable, type Workplace } from "./kernel-files.ts"
import { kernelOfImage } from "./kernel-of-image.ts"

interface Source {
  readonly vmlinuz: string | undefined
  readonly modules: string | undefined
  readonly deb: ReadonlyArray<string>
  readonly image: ImageName | undefined
}

/** The kernel that this host runs, where its distribution puts it. */
const ownKernel = Effect.suspend(() => {
  const places = kernelFiles(release())
  const found = places.find((place) => existsSync(place))
  return found === undefined
    ? Effect.fail(new BadSource({
      path: places.join(", "),
      problem: `the running kernel ${release()} is at none of them (was another one installed since the boot?)`,
      fix: "reboot; or --vmlinuz FILE --modules DIR; or banger kernel pull debian-6.1"
    }))
    : Effect.succeed(found)
})

/** Reads what the flags name, or the kernel that this host runs, into `out`. */
const convertFrom = (flags: Source, { out, source }: Workplace) =>
  Effect.gen(function*() {
    if (flags.image !== undefined) {
      const found = yield* kernelOfImage(flags.image, source)
      return yield* convert(["import", "--vmlinuz", found.vmlinuz, "--modules", found.modules, "--out", out], `image ${flags.image}`, "the newest kernel in its /boot is taken: banger image build can install another, or remove it", source)
    }
    if (flags.deb.length > 0) {
      yield* Effect.forEach(flags.deb, (path) => readable(path, "the package"))
      return yield* convert(["import-deb", "--out", out, ...flags.deb], flags.deb.join(", "), "give the package of the kernel's image, and with --deb again that of its modules when they are apart")
    }
    return yield* convertFiles(flags.vmlinuz ?? (yield* ownKernel), flags.modules ?? `/lib/modules/${release()}`, out)
  })

export default command({
  path: "kernel import",
  about: `Imports a kernel and its modules: those of files, of Debian packages, or of an image; without any the one that this host runs.
Distributions that package modules apart take --deb twice.`,
  args: Args.none,
  flags: Options.all({
    name: Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("name of the kernel (host)"), as(KernelName)),
    vmlinuz: Options.text("vmlinuz").pipe(Options.withPseudoName("FILE"), Options.withDescription("the kernel: bzImage or vmlinux"), as(Values.text, files)),
    modules: Options.text("modules").pipe(Options.withPseudoName("DIR"), Options.withDescription("its modules: /lib/modules/RELEASE"), as(Values.text, directories)),
    deb: Options.text("deb").pipe(Options.withPseudoName("FILE"), Options.withDescription("a Debian package of a kernel, in place of both"), each(Values.text, files)),
    image: Options.text("image").pipe(Options.withPseudoName("IMAGE"), Options.withDescription("the newest kernel in an image's /boot, in place of both"), as(ImageName, images)),
    json
  }),
  json: KERNEL,
  examples: [
    "banger kernel import",
    "banger kernel import --name backports --deb ./linux-image-6.12-amd64.deb",
    "banger kernel import --name fedora --image fedora-cloud",
    "banger kernel import --name debian-6.1 --vmlinuz ./boot/vmlinuz-6.1.0-40-amd64 --modules ./lib/modules/6.1.0-40-amd64"
  ],
  run: ({ flags }) =>
    withDaemon(Effect.scoped(Effect.gen(function*() {
      if ((flags.vmlinuz === undefined) !== (flags.modules === undefined)) {
        return yield* Effect.fail(new Misuse("--vmlinuz and --modules go together", "banger kernel import --help shows what it takes"))
      }
      if ([flags.vmlinuz, flags.deb[0], flags.image].filter((source) => source !== undefined).length > 1) {
        return yield* Effect.fail(new Misuse("give one source: --vmlinuz and --modules, --deb, or --image", "banger kernel import --help shows what it takes"))
      }
      const kernel = yield* importKernel(flags.name ?? KernelName.make("host"), (workplace) => convertFrom(flags, workplace))
      yield* flags.json ? printJson(KERNEL, kernel) : print(`${kernel.files.name}: imported, ${kernel.files.release}\n`)
      return 0
    })))
})
