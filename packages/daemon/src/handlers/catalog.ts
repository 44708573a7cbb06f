import { ImageApi, KernelApi } from "@banger/domain/api.ts"
import { BadSource } from "@banger/domain/errors.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { ImageMaker } from "../images/maker.ts"
import { makeKernelPackages, makeMirrors, makeRecipes, makeSession } from "../images/recipes.ts"

const images = ImageApi.toLayer(Effect.map(Effect.all([Catalog, ImageMaker, makeMirrors, makeRecipes, makeSession]), ([catalog, maker, mirrors, lookUp, sessionOf]) => ImageApi.of({
  "image.List": () => catalog.images,
  "image.Show": ({ name }) => catalog.image(name),
  "image.Register": catalog.register,
  "image.Pull": (request) => Stream.unwrap(maker.pull(request)).pipe(Stream.rechunk(1)),
  "image.Import": (request) => Stream.unwrap(maker.importStaged(request)).pipe(Stream.rechunk(1)),
  "image.Build": (request) => Stream.unwrap(maker.build(request)).pipe(Stream.rechunk(1)),
  "image.Get": ({ name, session, update }) => Stream.unwrap(maker.get(name, update, session)).pipe(Stream.rechunk(1)),
  "image.Origin": ({ name, reference, session }) =>
    Effect.gen(function*() {
      const known = name === undefined ? Option.none() : yield* lookUp(name, yield* sessionOf(session))
      const from = Option.isSome(known) && known.value.kind === "recipe" ? known.value.recipe.from : null
      return { reference: reference ?? from, mirrors: yield* mirrors }
    }),
  "image.Cancel": ({ name }) => maker.cancel(name),
  "image.Delete": ({ name }) => catalog.deleteImage(name)
})))

const kernels = KernelApi.toLayer(Effect.map(Effect.all([Catalog, makeKernelPackages, makeSession]), ([catalog, packages, sessionOf]) => KernelApi.of({
  "kernel.List": () => catalog.kernels,
  "kernel.Import": catalog.importKernel,
  "kernel.Packages": ({ name, session }) =>
    Effect.gen(function*() {
      const own = yield* sessionOf(session)
      const known = yield* packages(name, own)
      if (Option.isSome(known)) return { packages: known.value, proxy: own.proxy }
      return yield* new BadSource({ path: `kernel ${name}`, problem: "no catalog has it", fix: "banger kernel import takes the host's, that of a package, or of an image" })
    }),
  "kernel.Delete": ({ name }) => catalog.deleteKernel(name)
})))

export const catalogHandlers = Layer.merge(images, kernels)
