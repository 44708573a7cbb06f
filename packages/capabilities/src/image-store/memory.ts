import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import { Digest } from "@banger/domain/ids.ts"
import { MemoryHost } from "../memory-host.ts"
import { ImageStoreOps } from "./ops.ts"

/** A file of the store by what it is made of. */
const stored = (content: string) => ({ digest: Digest.make(createHash("sha256").update(content).digest("hex")), bytes: content.length })

export const handlers = ImageStoreOps.toLayer(Effect.map(MemoryHost, (host) => {
  const add = (content: string) => Effect.as(host.add(`estate stored ${stored(content).digest}`), stored(content))
  return ImageStoreOps.of({
    "store.Ingest": ({ staging }) => add(staging),
    "store.Extend": ({ digest, sizeMib }) => add(`${digest} ${sizeMib}`),
    "store.Seal": ({ image, vm }) => Effect.all({ rootfs: add(`${image} ${vm}`), seed: add(`work ${vm}`) }),
    "store.Remove": ({ digest }) => host.delete(`estate stored ${digest}`),
    "store.Facts": () =>
      Effect.sync(() => [...host.objects].filter((object) => object.startsWith("estate stored ")).map((object) => ({ area: "store" as const, name: object.slice(14), apparentBytes: 2, allocatedBytes: 1 }))),
    "store.List": () =>
      Effect.sync(() => [...host.objects].filter((object) => object.startsWith("estate stored ")).map((object) => Digest.make(object.slice(14))))
  })
}))
