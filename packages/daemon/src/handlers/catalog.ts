import { ImageApi, KernelApi } from "@banger/domain/api.ts"
import { BadSource } from "@banger/domain/errors.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { ImageMaker } from "../images/maker.ts"
import { makeKernelPackages } from "../images/recipes.ts"

const images = ImageApi.toLayer(Effect.map(Effect.all([Catalog, ImageMaker]), ([catalog, maker]) => ImageApi.of({
  "image.List": () => catalog.images,
  "image.Show": ({ name }) => catalog.image(name),
  "image.Register": catalog.register,
  "image.Pull": (request) => Stream.unwrap(maker.pull(request)).pipe(Stream.rechunk(1)),
  "image.Import": (request) => Stream.unwrap(maker.importStaged(request)).pipe(Stream.rechunk(1)),
  "image.Build": (request) => Stream.unwrap(maker.build(request)).pipe(Stream.rechunk(1)),
  "image.Get": ({ name, update }) => Stream.unwrap(maker.get(name, update)).pipe(Stream.rechunk(1)),
  "image.Delete": ({ name }) => catalog.deleteImage(name)
})))

const kernels = KernelApi.toLayer(Effect.map(Effect.all([Catalog, makeKernelPackages]), ([catalog, packages]) => KernelApi.of({
  "kernel.List": () => catalog.kernels,
  "kernel.Import": catalog.importKernel,
  "kernel.Packages": ({ name }) =>
    Effect.flatMap(packages(name), Option.match({
      onNone: (): Effect.Effect<never, BadSource> => Effect.fail(new BadSource({ path: `kernel ${name}`, problem: "no catalog has it", fix: "banger kernel import takes the host's, that of a package, or of an image" })),
      onSome: Effect.succeed
    })),
  "kernel.Delete": ({ name }) => catalog.deleteKernel(name)
})))

export const catalogHandlers = Layer.merge(images, kernels)
