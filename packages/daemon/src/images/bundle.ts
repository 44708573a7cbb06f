import { LAYERS, staged } from "@banger/capabilities/paths.ts"
import { type Image, ImageSource } from "@banger/domain/catalog.ts"
import { RunConfig } from "@banger/domain/run-config.ts"
import type { CatalogError } from "@banger/domain/errors.ts"
import type { ImageName } from "@banger/domain/ids.ts"
import type { Bundle } from "@banger/domain/recipe.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Catalog } from "../catalog.ts"
import { type Emit, follow, place } from "./convert.ts"
import { runProgram } from "./program.ts"

/** What banger-bundle ends with; what the bundle says of its image is a stranger's, and checked like it. */
const Unpacked = Schema.Struct({
  unpacked: Schema.Struct({
    about: Schema.Struct({ source: Schema.NullOr(ImageSource), run: Schema.NullOr(RunConfig) }),
    seed: Schema.Boolean
  })
})

/** A bundle that a catalog names, or a file. */
export type BundleSource = { readonly url: string; readonly bundle: Pick<Bundle, "sha256" | "bytes"> } | { readonly path: string; readonly file: string }

/** Makes an image of what `banger image export --bundle` wrote. */
export const makeUnbundle = Effect.map(Catalog, (catalog) =>
  (name: ImageName, from: BundleSource, emit: Emit): Effect.Effect<Image, CatalogError> =>
    Effect.scoped(Effect.gen(function*() {
      const rootfs = yield* place
      const seed = yield* place
      const reference = "url" in from ? from.url : from.path
      const args = "url" in from ? ["--sha256", from.bundle.sha256, "--bytes", String(from.bundle.bytes), "--cache", LAYERS, from.url] : [from.file]
      const lines = runProgram("banger-bundle", Unpacked, ["unpack", "--rootfs", staged(rootfs), "--seed", staged(seed), ...args], reference)
      const { result: { unpacked }, step } = yield* follow(lines, reference, emit)
      const image = yield* catalog.register({
        name, rootfs, workSeed: unpacked.seed ? seed : undefined, run: unpacked.about.run,
        source: { reference, digest: "url" in from ? `sha256:${from.bundle.sha256}` : "", base: null }
      })
      yield* step("added to the store")
      return image
    })))
