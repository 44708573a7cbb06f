import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import { LAYERS, staged } from "@banger/capabilities/paths.ts"
import { bundled, Unpacked } from "@banger/domain/bundle.ts"
import type { Image } from "@banger/domain/catalog.ts"
import { BadSource, type CatalogError } from "@banger/domain/errors.ts"
import type { ImageName } from "@banger/domain/ids.ts"
import type { Bundle } from "@banger/domain/recipe.ts"
import type { Proxy } from "@banger/domain/session.ts"
import * as Effect from "effect/Effect"
import { Catalog } from "../catalog.ts"
import { stepOf } from "../step.ts"
import { EDITION, type Emit, follow, place, STORED } from "./convert.ts"
import { makeReserve, runProgram } from "./program.ts"

/** Makes an image of the one in a bundle that a catalog names. */
export const makeUnbundle = Effect.map(Effect.all([Catalog, makeReserve]), ([catalog, reserve]) =>
  (name: ImageName, { bytes, sha256 }: Bundle, url: string, proxy: Proxy, emit: Emit): Effect.Effect<Image, CatalogError> => {
    const bad = (problem: string) => new BadSource({ path: url, problem, fix: "ask whoever keeps the catalog" })
    const onDisk = <A>(act: () => Promise<A>) => Effect.mapError(file(url, act), ({ message }) => bad(message))
    return Effect.scoped(Effect.gen(function*() {
      const into = yield* place
      yield* onDisk(() => fs.mkdir(staged(into)))
      const lines = runProgram("banger-bundle", Unpacked, ["unpack", ...yield* reserve, "--into", staged(into), "--sha256", sha256, "--bytes", String(bytes), "--cache", LAYERS, url], url, { proxy })
      const { unpacked: { about, files } } = yield* follow(lines, url, emit)
      const [image, ...more] = about.images
      if (image === undefined || more.length > 0) return yield* bad(`it holds ${about.images.length} images, not one`)
      const take = (wanted: string) =>
        Effect.gen(function*() {
          const at = files.indexOf(wanted)
          if (at < 0) return undefined
          const own = yield* place
          yield* onDisk(() => fs.rename(`${staged(into)}/${at}`, staged(own)))
          return own
        })
      const rootfs = yield* take(bundled.rootfs(image.name))
      if (rootfs === undefined) return yield* bad("it has no root file system")
      const workSeed = yield* take(bundled.seed(image.name))
      return yield* stepOf(emit)(STORED, catalog.register({
        name, rootfs, workSeed, run: image.run,
        source: { reference: url, digest: `sha256:${sha256}`, base: null, edition: EDITION }
      }))
    }))
  })
