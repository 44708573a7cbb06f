import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { ImageReference } from "@banger/domain/recipe.ts"
import { DiskMib } from "@banger/domain/vm.ts"
import { kernels, offering, offers } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { Misuse } from "../../command-line/misuse.ts"
import { as, json, verbose } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { callerOf } from "../../daemon/caller.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { IMAGE_EVENTS, orCancel, watchImage } from "../../output/image-progress.ts"
import { nameOf } from "./image-name.ts"

const SCHEME = "oci://"
const imageName = Values.decoder(ImageName)
const imageReference = Values.decoder(ImageReference)

/** What the catalog says of the name decides the rest. */
const ofCatalog = (given: string, flags: { readonly update: boolean; readonly json: boolean; readonly verbose: boolean; readonly name?: unknown; readonly size?: unknown; readonly kernel?: unknown; readonly insecure: boolean }) =>
  Effect.gen(function*() {
    const name = yield* Effect.mapError(imageName(given), () =>
      new Misuse(`${JSON.stringify(given)} is neither a name of the catalog nor an address`, `banger image pull ${SCHEME}${given}`))
    if (flags.name !== undefined || flags.size !== undefined || flags.kernel !== undefined || flags.insecure) {
      return yield* Effect.fail(new Misuse(`--name, --size, --kernel and --insecure are for ${SCHEME} addresses`, `banger image pull ${SCHEME}${given}`))
    }
    yield* withDaemon(Effect.gen(function*() {
      const daemon = yield* Daemon
      const session = yield* callerOf({ name })
      yield* orCancel(name, watchImage(name, daemon.image.Get({ name, session, update: flags.update }), flags))
    }))
    return 0
  })

export default command({
  path: "image pull",
  about: `Makes an image of the catalog by its name, or of any container image: fetched from its registry, verified, turned into a root file
system; what it has in /root is in /root of its VMs. Credentials are those of docker login, podman login and credential helpers in this
session, proxies those of HTTPS_PROXY and its like, or of [proxy] in the configuration. Layers are kept, and shared by images; an
interrupted pull goes on where it ended.
The same image again is only fetched when its digest is another; what a name of the catalog stands for, only with --update.`,
  args: Args.text({ name: "NAME|oci://REFERENCE" }).pipe(offering(offers("image"))),
  flags: Options.all({
    name: Options.text("name").pipe(Options.withPseudoName("NAME"), Options.withDescription("name of the image (debian:12 becomes debian-12)"), as(ImageName)),
    size: Options.text("size").pipe(Options.withPseudoName("SIZE"), Options.withDescription("size of the root file system, at least (8G)"), as(Values.mib(DiskMib))),
    kernel: Options.text("kernel").pipe(Options.withPseudoName("KERNEL"), Options.withDescription("kernel that its VMs boot (without it: the default one)"), as(KernelName, kernels)),
    update: Options.boolean("update").pipe(Options.withDescription("with a NAME: ask the registry again what its tag stands for")),
    insecure: Options.boolean("insecure").pipe(Options.withDescription("allow HTTP, and certificates that nobody vouches for")),
    verbose,
    json
  }),
  json: IMAGE_EVENTS,
  examples: [
    "banger image pull debian-bookworm",
    "banger image pull oci://debian:12",
    "banger image pull oci://ghcr.io/owner/tool:v2 --name tool --size 16G"
  ],
  run: ({ args: given, flags }) =>
    Effect.gen(function*() {
      if (!given.startsWith(SCHEME)) return yield* ofCatalog(given, flags)
      if (flags.update) return yield* Effect.fail(new Misuse("--update is for names of the catalog", "a reference is asked for each time"))
      const reference = yield* Effect.mapError(imageReference(given.slice(SCHEME.length)), (words) =>
        new Misuse(`${given}: ${words}`, "banger image pull --help shows examples"))
      const name = flags.name ?? (yield* Effect.mapError(imageName(nameOf(reference)), () => new Misuse(`no name follows from ${given}`, "give one: --name NAME")))
      yield* withDaemon(Effect.gen(function*() {
        const daemon = yield* Daemon
        const session = yield* callerOf({ reference })
        const wanted = { name, reference, session, insecure: flags.insecure, ...(flags.size && { sizeMib: flags.size }), ...(flags.kernel && { kernel: flags.kernel }) }
        yield* orCancel(name, watchImage(name, daemon.image.Pull(wanted), flags))
      }))
      return 0
    })
})
