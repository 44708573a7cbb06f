import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import { staged } from "@banger/capabilities/paths.ts"
import type { Image } from "@banger/domain/catalog.ts"
import { RunConfig } from "@banger/domain/run-config.ts"
import { BadSource, type CatalogError } from "@banger/domain/errors.ts"
import { type ImageName, type KernelName, StagingId } from "@banger/domain/ids.ts"
import type { ImageProgress } from "@banger/domain/progress.ts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { type ProgressLine, runProgram } from "./program.ts"

export type Emit = (event: ImageProgress) => Effect.Effect<void>

/** What is made of which container image. */
export interface Conversion {
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
export const unstage = (id: StagingId) =>
  Effect.ignoreLogged(file(staged(id), () =>
    Promise.all([staged(id), `${staged(id)}.partial`].map((path) => fs.rm(path, { recursive: true, force: true })))))

/** A place in the staging directory for a file that we make ourselves; what is left there goes with the scope. */
export const place = Effect.acquireRelease(Effect.sync(() => StagingId.make(randomBytes(8).toString("hex"))), unstage)

/** Follows a program to its result, telling its phases; every phase but the last ends with the next. `step` ends what comes after it. */
export const follow = <A extends object>(lines: Stream.Stream<A | ProgressLine, BadSource>, source: string, emit: Emit) =>
  Effect.gen(function*() {
    let phase: keyof typeof STEPS | undefined
    let since = yield* Clock.currentTimeMillis
    const step = (name: string) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        yield* emit({ _tag: "Step", step: name, ms: now - since })
        since = now
      })
    let result: A | undefined
    yield* Stream.runForEach(lines, (line) =>
      Effect.gen(function*() {
        if (!("progress" in line)) return void (result = line)
        if (phase !== undefined && line.progress.phase !== phase) yield* step(STEPS[phase])
        phase = line.progress.phase
        yield* emit({ _tag: "Phase", ...line.progress })
      }))
    if (phase !== undefined) yield* step(STEPS[phase])
    if (result === undefined) return yield* new BadSource({ path: source, problem: "it came to no result", fix: "journalctl -u bangerd" })
    return { result, step }
  })

/** What banger-oci ends with (native/cmd/banger-oci). */
const Converted = Schema.Union(
  Schema.Struct({ result: Schema.Struct({ digest: Schema.String, bytes: Schema.Number, files: Schema.Number, config: RunConfig }) }),
  Schema.Struct({ unchanged: Schema.String })
)

/** Makes an image of a container image with banger-oci, and tells whether it was another before. */
export const makeConvert = Effect.map(Catalog, (catalog) => {
  /** The image as it is, when it was made of the same. */
  const present = ({ name, reference }: Conversion) =>
    Effect.map(catalog.find(name), Option.filter(({ source }) => source?.reference === reference))

  return (conversion: Conversion, emit: Emit): Effect.Effect<{ readonly image: Image; readonly changed: boolean }, CatalogError> =>
    Effect.scoped(Effect.gen(function*() {
      const { args: [command, ...args], kernel, name, reference, sizeMib } = conversion
      if (kernel !== undefined) yield* catalog.kernel(kernel)
      const here = command === "pull" ? yield* present(conversion) : Option.none()
      const known = Option.flatMapNullable(here, ({ source }) => source?.digest)
      const id = yield* place
      const all = [
        command, "--out", staged(id),
        ...(sizeMib === undefined ? [] : ["--size", String(sizeMib * 2 ** 20)]),
        ...Option.match(known, { onNone: () => [], onSome: (digest) => ["--unless", digest] }),
        ...args
      ]
      const { result, step } = yield* follow(runProgram("banger-oci", Converted, all, reference), reference, emit)
      if ("unchanged" in result && Option.isSome(here)) return { image: here.value, changed: false }
      if ("unchanged" in result) return yield* new BadSource({ path: reference, problem: "it is said to be unchanged, and is not here", fix: "journalctl -u bangerd" })
      const { config, digest } = result.result
      const image = yield* catalog.register({ name, kernel, rootfs: id, source: { reference, digest, base: null }, run: config })
      yield* step("added to the store")
      return { image, changed: true }
    }))
})
