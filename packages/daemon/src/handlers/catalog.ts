import { ImageApi, KernelApi } from "@banger/domain/api.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Catalog } from "../catalog.ts"

const images = ImageApi.toLayer(Effect.map(Catalog, (catalog) => ImageApi.of({
  "image.List": () => catalog.images,
  "image.Show": ({ name }) => catalog.image(name),
  "image.Register": catalog.register,
  "image.Delete": ({ name }) => catalog.deleteImage(name)
})))

const kernels = KernelApi.toLayer(Effect.map(Catalog, (catalog) => KernelApi.of({
  "kernel.List": () => catalog.kernels,
  "kernel.Import": catalog.importKernel,
  "kernel.Delete": ({ name }) => catalog.deleteKernel(name)
})))

export const catalogHandlers = Layer.merge(images, kernels)
