import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import { LAYERS, STAGING, staged } from "@banger/capabilities/paths.ts"
import type { BuildImage, ImportImage, PullImage } from "@banger/domain/api.ts"
import type { Image } from "@banger/domain/catalog.ts"
import { BadSource, type CatalogError, ImageBusy, ImageNotFound, StepFailed } from "@banger/domain/errors.ts"
import { type ImageName, isDaemons } from "@banger/domain/ids.ts"
import type { ImageProgress } from "@banger/domain/progress.ts"
import type { Session } from "@banger/domain/session.ts"
import { DEFAULT_DISK_MIB } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { makeOperations } from "../operations.ts"
import { stepOf } from "../step.ts"
import { type Build, digestOf, makeBuild } from "./build.ts"
import { makeUnbundle } from "./bundle.ts"
import { type Conversion, EDITION, type Emit, makeConvert, place, STORED } from "./convert.ts"
import { type Known, makeMirrors, makeRecipes, makeSession } from "./recipes.ts"

/** Images that can be made at a time: more than anybody asks for. */
const MAKING = 1_000

/** What a request asks for beyond the source; two that differ in it are not the same. */
const wishes = ({ kernel, sizeMib }: Pick<Conversion, "kernel" | "sizeMib">) =>
  `${sizeMib === undefined ? "" : ` with ${sizeMib} MiB`}${kernel === undefined ? "" : ` for kernel ${kernel}`}`

/** The image is made of the same reference, as this version does it, and is already what the request asks for. */
export const asWished = ({ kernel, reference, sizeMib }: Pick<Conversion, "kernel" | "reference" | "sizeMib">) => (image: Image) =>
  image.source?.reference === reference && image.source.edition === EDITION && image.rootfsBytes >= (sizeMib ?? 0) * 2 ** 20 && (kernel === undefined || image.kernel === kernel)

type Making = Effect.Effect<Stream.Stream<ImageProgress, CatalogError>, ImageBusy>

/** Makes images. Each is an operation: it goes on without whoever asked for it, and two who ask for the same share it. */
export class ImageMaker extends Context.Tag("@banger/daemon/ImageMaker")<ImageMaker, {
  readonly pull: (request: PullImage) => Making
  /** Of a file or directory in staging, which is removed afterwards. */
  readonly importStaged: (request: ImportImage) => Making
  readonly build: (request: BuildImage) => Making
  /** Of the catalogs. `update`: what a recipe's tag stands for is asked again. */
  readonly get: (name: ImageName, update: boolean, session: Session | undefined) => Making
  /** Ends the making of an image that nobody but the caller watches; tells whether it does. */
  readonly cancel: (name: ImageName) => Effect.Effect<boolean>
  /** Runs it while no image is being made, and none is begun until it is done; fails when one is being made. */
  readonly quietly: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E | ImageBusy, R>
}>() {
  static readonly layer = Layer.scoped(ImageMaker, Effect.gen(function*() {
    const catalog = yield* Catalog
    const buildImage = yield* makeBuild
    const convert = yield* makeConvert
    const mirrors = yield* makeMirrors
    const lookUp = yield* makeRecipes
    const unbundle = yield* makeUnbundle
    const operations = yield* makeOperations<ImageName, `made of ${string}`, ImageProgress, CatalogError, ImageBusy>({
      busy: (name, doing) => new ImageBusy({ name, doing }),
      passing: ({ _tag }) => _tag === "Phase"
    })

    const making = yield* Effect.makeSemaphore(MAKING)
    const sessionOf = yield* makeSession
    /** What ends the making of an image, and how many watch it. */
    const underway = new Map<ImageName, Deferred.Deferred<never, StepFailed>>()
    const watchers = new Map<ImageName, number>()

    /** What is cancelled fails for all who watch it, once what it had made is gone. */
    const cancellable = <A>(name: ImageName, work: Effect.Effect<A, CatalogError>) =>
      Effect.acquireUseRelease(
        Effect.tap(Deferred.make<never, StepFailed>(), (ended) => Effect.sync(() => underway.set(name, ended))),
        (ended) => Effect.raceFirst(work, Deferred.await(ended)),
        () => Effect.sync(() => underway.delete(name))
      )

    const watched = (name: ImageName, events: Stream.Stream<ImageProgress, CatalogError>) => {
      const count = (change: number) => Effect.sync(() => void watchers.set(name, (watchers.get(name) ?? 0) + change))
      return Stream.ensuring(Stream.onStart(events, count(1)), count(-1))
    }

    const run = (name: ImageName, of: string, session: Session | undefined, work: (emit: Emit, session: Session) => Effect.Effect<{ readonly image: Image; readonly message: string }, CatalogError>): Making =>
      Effect.map(
        operations.run({ id: name, name }, `made of ${of}`, (emit) =>
          making.withPermits(1)(sessionOf(session).pipe(
            Effect.flatMap((own) => cancellable(name, work(emit, own))),
            Effect.flatMap((made) => emit({ _tag: "Made", ...made }))
          ))),
        (events) => watched(name, events)
      )

    const converted = (conversion: Conversion) => (emit: Emit) =>
      Effect.scoped(Effect.gen(function*() {
        const { kernel, name, reference } = conversion
        // A file that is imported again may be another under the same path.
        const here = conversion.args[0] === "pull" ? Option.filter(yield* catalog.find(name), asWished(conversion)) : Option.none()
        const result = yield* convert({ ...conversion, unless: Option.getOrUndefined(Option.flatMapNullable(here, ({ source }) => source?.digest)) }, emit)
        if (result === "unchanged") return yield* Effect.map(catalog.image(name), (image) => ({ image, message: `${name} is up to date: ${image.source?.digest}` }))
        const { digest, rootfs, run, workSeed } = result
        const image = yield* stepOf(emit)(STORED, catalog.register({ name, kernel, rootfs, workSeed, source: { reference, digest, base: null, edition: EDITION }, run }))
        return { image, message: `${name} is made of ${digest}` }
      }))

    const pulling = (name: ImageName, reference: string, insecure: boolean, session: Session) =>
      Effect.map(mirrors, (hosts): Conversion => {
        const flags = Object.entries(hosts).flatMap(([registry, host]) => ["--mirror", `${registry}=${host}`])
        return { name, session, reference: `oci://${reference}`, args: ["pull", "--cache", LAYERS, ...flags, ...(insecure ? ["--insecure"] : []), reference] }
      })

    /** The image that the build would give, when it is here. */
    const present = (build: Parameters<typeof digestOf>[0] & { readonly name: ImageName }) =>
      Effect.map(catalog.find(build.name), Option.filter(({ source }) => source?.digest === digestOf(build)))

    const built = (build: Build, again: boolean) => (emit: Emit) =>
      Effect.gen(function*() {
        const here = again ? Option.none() : yield* present(build)
        if (Option.isSome(here)) return { image: here.value, message: `${build.name} is up to date: the same script has made it of the same ${build.from.files.name}` }
        return { image: yield* buildImage(build, emit), message: `${build.name} is built` }
      })

    /** By a catalog's bundle, unless it is just that already. */
    const fetched = (name: ImageName, { bundle, url }: Extract<Known, { readonly kind: "bundle" }>) => (emit: Emit, { proxy }: Session) =>
      Effect.gen(function*() {
        const here = Option.filter(yield* catalog.find(name), ({ source }) => source?.digest === `sha256:${bundle.sha256}`)
        if (Option.isSome(here)) return { image: here.value, message: `${name} is up to date` }
        return { image: yield* unbundle(name, bundle, url, proxy, emit), message: `${name} is made of a bundle` }
      })

    /** By a recipe: its container image, then its script. */
    const cooked = (name: ImageName, { env, recipe: { from, sizeMib }, script }: Extract<Known, { readonly kind: "recipe" }>, update: boolean) => (emit: Emit, session: Session) =>
      Effect.gen(function*() {
        const reference = `recipe ${name}`
        const old = Option.filter(yield* catalog.find(name), ({ source }) => source?.reference === reference)
        const pinned = Option.flatMapNullable(old, ({ source }) => source?.base)
        const build = { name, sizeMib, diskMib: DEFAULT_DISK_MIB, script, docker: false, env, reference, proxy: session.proxy }
        const upToDate = (image: Image) => ({ image, message: `${name} is up to date` })
        const same = Option.isSome(pinned) ? yield* present({ ...build, base: pinned.value }) : Option.none()
        if (!update && Option.isSome(same)) return upToDate(same.value)
        const asked = update || from.includes("@") || Option.isNone(pinned) ? from : `${from.replace(/:[^/:]*$/, "")}@${pinned.value}`
        const pull = yield* pulling(name, asked, false, session)
        return yield* Effect.scoped(Effect.gen(function*() {
          const result = yield* convert({ ...pull, sizeMib, ...(Option.isSome(same) && { unless: Option.getOrUndefined(pinned) }) }, emit)
          if (result === "unchanged") return upToDate(yield* catalog.image(name))
          const base = yield* stepOf(emit)(STORED, catalog.borrow(result, { name, kernel: null, run: result.run }))
          return { image: yield* buildImage({ ...build, from: base, base: result.digest }, emit), message: `${name} is built by its recipe of ${result.digest}` }
        }))
      })

    // No operation survives the daemon: what the last one had in staging is nobody's.
    yield* Effect.ignoreLogged(file(STAGING, async () => {
      const names = await fs.readdir(STAGING)
      await Promise.all(names.filter(isDaemons).map((name) => fs.rm(`${STAGING}/${name}`, { recursive: true, force: true })))
    }))

    return {
      pull: ({ insecure, kernel, name, reference, session, sizeMib }) =>
        run(name, `oci://${reference}${wishes({ kernel, sizeMib })}`, session, (emit, own) => Effect.flatMap(pulling(name, reference, insecure, own), (pull) => converted({ ...pull, kernel, sizeMib })(emit))),
      importStaged: ({ kernel, name, path, sizeMib, staging }) =>
        run(name, `${path}${wishes({ kernel, sizeMib })}`, undefined, (emit, session) =>
          Effect.scoped(Effect.gen(function*() {
            // Taken from the client, which removes what it finds when it goes.
            const own = yield* place
            yield* Effect.mapError(file(path, () => fs.rename(staged(staging), staged(own))), ({ message }) => new BadSource({ path, problem: message, fix: "import it again" }))
            return yield* converted({ name, kernel, session, sizeMib, reference: path, args: ["import", staged(own)] })(emit)
          }))),
      build: ({ again, from, name, session, ...request }) => {
        const id = createHash("sha256").update(JSON.stringify(request)).digest("hex").slice(0, 12)
        return run(name, `${from} by script ${id}`, session, (emit, { proxy }) =>
          Effect.flatMap(catalog.image(from), (image) => built({ ...request, name, proxy, from: image, env: {}, reference: `a script, from ${from}` }, again)(emit)))
      },
      cancel: (name) =>
        Effect.suspend(() => {
          const ended = underway.get(name)
          return ended === undefined || (watchers.get(name) ?? 0) > 1
            ? Effect.succeed(false)
            : Deferred.fail(ended, new StepFailed({ operation: `make ${name}`, problem: "it was cancelled", fix: "the same command begins again; what was fetched is kept" }))
        }),
      quietly: (work) =>
        Effect.flatMap(making.withPermitsIfAvailable(MAKING)(work), Option.match({
          onNone: () => Effect.fail(new ImageBusy({ name: "an image", doing: "made" })),
          onSome: Effect.succeed
        })),
      get: (name, update, given) =>
        run(name, "what the catalog says", given, (emit, session) =>
          Effect.flatMap(lookUp(name, session), Option.match({
            onNone: (): Effect.Effect<never, CatalogError> => Effect.fail(new ImageNotFound({ name })),
            onSome: (known) => known.kind === "bundle" ? fetched(name, known)(emit, session) : cooked(name, known, update)(emit, session)
          })))
    }
  }))
}
