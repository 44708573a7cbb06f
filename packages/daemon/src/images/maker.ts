import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import { LAYERS, STAGING, staged } from "@banger/capabilities/paths.ts"
import type { ImportImage, PullImage } from "@banger/domain/api.ts"
import type { Image, ImageSource } from "@banger/domain/catalog.ts"
import { BadSource, type CatalogError, ImageBusy } from "@banger/domain/errors.ts"
import { type ImageName, type KernelName, StagingId } from "@banger/domain/ids.ts"
import type { ImageProgress } from "@banger/domain/progress.ts"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { makeOperations } from "../operations.ts"
import { type Line, oci } from "./oci.ts"

type Emit = (event: ImageProgress) => Effect.Effect<void>

/** What is being made of what. */
interface Making {
  readonly name: ImageName
  readonly kernel?: KernelName | undefined
  readonly sizeMib?: number | undefined
  /** As the user calls it, in messages and in the image's record. */
  readonly reference: string
  /** banger-oci's command and its arguments, but for where to write. */
  readonly args: readonly [command: string, ...ReadonlyArray<string>]
}

const STEPS = { fetch: "fetched and unpacked", write: "file system written" } as const

/** Never fails: what cannot be removed now goes when the daemon starts again. */
const unstage = (id: StagingId) =>
  Effect.ignoreLogged(file(staged(id), () =>
    Promise.all([staged(id), `${staged(id)}.partial`].map((path) => fs.rm(path, { recursive: true, force: true })))))

/** A place in the staging directory for a file that we make ourselves; what is left there goes with the scope. */
const place = Effect.acquireRelease(Effect.sync(() => StagingId.make(randomBytes(8).toString("hex"))), unstage)

/** Follows banger-oci to its last line; every phase but the last ends with the next. */
const follow = (lines: Stream.Stream<Line, BadSource>, emit: Emit) =>
  Effect.gen(function*() {
    let phase: keyof typeof STEPS = "fetch"
    let since = yield* Clock.currentTimeMillis
    const step = (name: string) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        yield* emit({ _tag: "Step", step: name, ms: now - since })
        since = now
      })
    const last = yield* lines.pipe(
      Stream.tap((line) =>
        Effect.gen(function*() {
          if (!("progress" in line)) return
          if (line.progress.phase !== phase) yield* step(STEPS[phase])
          phase = line.progress.phase
          yield* emit({ _tag: "Phase", ...line.progress })
        })),
      Stream.runLast
    )
    return { last, done: step(STEPS[phase]), step }
  })

/** Makes images of container images. Each is an operation: it goes on without whoever asked for it. */
export class ImageMaker extends Context.Tag("@banger/daemon/ImageMaker")<ImageMaker, {
  readonly pull: (request: PullImage) => Effect.Effect<Stream.Stream<ImageProgress, CatalogError>, ImageBusy>
  /** Of a file or directory in staging, which is removed afterwards. */
  readonly importStaged: (request: ImportImage) => Effect.Effect<Stream.Stream<ImageProgress, CatalogError>, ImageBusy>
}>() {
  static readonly layer = Layer.scoped(ImageMaker, Effect.gen(function*() {
    const catalog = yield* Catalog
    const operations = yield* makeOperations<ImageName, `made of ${string}`, ImageProgress, CatalogError, ImageBusy>(
      (name, doing) => new ImageBusy({ name, doing })
    )

    /** The image as it is, when it was made of the same. */
    const present = ({ name, reference }: Making): Effect.Effect<Option.Option<{ readonly image: Image; readonly source: ImageSource }>, CatalogError> =>
      catalog.image(name).pipe(
        Effect.map((image) => image.source?.reference === reference ? Option.some({ image, source: image.source }) : Option.none()),
        Effect.catchTag("ImageNotFound", () => Effect.succeedNone)
      )

    const make = (making: Making) => (emit: Emit) =>
      Effect.scoped(Effect.gen(function*() {
        const { args: [command, ...args], kernel, name, reference, sizeMib } = making
        if (kernel !== undefined) yield* catalog.kernel(kernel)
        const here = command === "pull" ? yield* present(making) : Option.none()
        const id = yield* place
        const all = [
          command, "--out", staged(id),
          ...(sizeMib === undefined ? [] : ["--size", String(sizeMib * 2 ** 20)]),
          ...(Option.isSome(here) ? ["--unless", here.value.source.digest] : []),
          ...args
        ]
        const { done, last, step } = yield* follow(oci(all, reference), emit)
        if (Option.isSome(last) && "unchanged" in last.value && Option.isSome(here)) {
          return yield* emit({ _tag: "Made", image: here.value.image, message: `${name} is up to date: ${last.value.unchanged}` })
        }
        if (Option.isNone(last) || !("result" in last.value)) {
          return yield* new BadSource({ path: reference, problem: "banger-oci ended without a result", fix: "journalctl -u bangerd" })
        }
        yield* done
        const { config, digest } = last.value.result
        const image = yield* catalog.register({ name, kernel, rootfs: id, source: { reference, digest }, run: config })
        yield* step("added to the store")
        yield* emit({ _tag: "Made", image, message: `${name} is made of ${digest}` })
      }))

    const run = (making: Making, finalizer: Effect.Effect<void> = Effect.void) =>
      operations.run({ id: making.name, name: making.name }, `made of ${making.reference}`, (emit) => Effect.ensuring(make(making)(emit), finalizer))

    // No operation survives the daemon: what lies in staging now is nobody's.
    yield* Effect.ignoreLogged(file(STAGING, async () => {
      const names = await fs.readdir(STAGING)
      await Promise.all(names.map((name) => fs.rm(`${STAGING}/${name}`, { recursive: true, force: true })))
    }))

    return {
      pull: ({ insecure, kernel, name, reference, sizeMib }) =>
        run({ name, kernel, sizeMib, reference: `oci://${reference}`, args: ["pull", "--cache", LAYERS, ...(insecure ? ["--insecure"] : []), reference] }),
      importStaged: ({ kernel, name, path, sizeMib, staging }) =>
        run({ name, kernel, sizeMib, reference: path, args: ["import", staged(staging)] }, unstage(staging))
    }
  }))
}
