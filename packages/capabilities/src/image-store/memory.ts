import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import { Digest } from "@banger/domain/ids.ts"
import { MemoryHost } from "../memory-host.ts"
import { ImageStoreOps } from "./ops.ts"

export const handlers = ImageStoreOps.toLayer(Effect.map(MemoryHost, (host) => ImageStoreOps.of({
  "store.Ingest": ({ staging }) => {
    const digest = Digest.make(createHash("sha256").update(staging).digest("hex"))
    return Effect.as(host.add(`estate stored ${digest}`), { digest, bytes: staging.length })
  },
  "store.Remove": ({ digest }) => host.delete(`estate stored ${digest}`),
  "store.List": () =>
    Effect.sync(() => [...host.objects].filter((object) => object.startsWith("estate stored ")).map((object) => Digest.make(object.slice(14))))
})))
