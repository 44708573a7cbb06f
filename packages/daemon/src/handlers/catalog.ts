import { ImageApi, KernelApi } from "@banger/domain/api.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { ImageMaker } from "../images/maker.ts"

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

const kernels = KernelApi.toLayer(Effect.map(Catalog, (catalog) => KernelApi.of({
  "kernel.List": () => catalog.kernels,
  "kernel.Import": catalog.importKernel,
  "kernel.Delete": ({ name }) => catalog.deleteKernel(name)
})))

export const catalogHandlers = Layer.merge(images, kernels)
