import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { type Digest, Digest as DigestSchema, type StagingId } from "@banger/domain/ids.ts"
import * as Schema from "effect/Schema"
import { file } from "../files.ts"
import { HostSettings } from "../host-settings.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { staged, STORE, stored } from "../paths.ts"
import { copySparse } from "./copy.ts"
import { ImageStoreOps } from "./ops.ts"

/**
 * The owner can exchange the file, its directory and its content at any time, so the decision and the copy are made on
 * one open file, which must be a regular file of the owner's: nothing that root alone can read gets into the store.
 */
const ingest = (staging: StagingId) =>
  Effect.gen(function*() {
    const { install, owner } = yield* HostSettings
    const temporary = `${STORE}/.new-${staging}`
    yield* file(STORE, () => fs.mkdir(STORE, { recursive: true, mode: 0o711 }))
    const copied = yield* Effect.acquireUseRelease(
      file(staged(staging), () => fs.open(staged(staging), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)),
      (source) =>
        Effect.gen(function*() {
          const stat = yield* file(staged(staging), () => source.stat())
          if (!stat.isFile() || stat.uid !== owner.uid) {
            return yield* new OpFailed({ subject: "image store", problem: "the staged file is not a regular file of the owner's", fix: "register the image again" })
          }
          return yield* copySparse(`${install}/lib/banger-store`, source, temporary)
        }),
      (source) => Effect.promise(() => source.close())
    ).pipe(Effect.tapError(() => file(temporary, () => fs.rm(temporary, { force: true })).pipe(Effect.ignoreLogged)))
    yield* file(stored(copied.digest), () => fs.rename(temporary, stored(copied.digest)))
    yield* file(staged(staging), () => fs.rm(staged(staging), { force: true }))
    return copied
  }).pipe(Effect.mapError(opFailed("image store")))

const remove = (digest: Digest) =>
  file(stored(digest), () => fs.rm(stored(digest), { force: true })).pipe(Effect.mapError(opFailed("image store")))

const list = file(STORE, async () => {
  await fs.mkdir(STORE, { recursive: true, mode: 0o711 })
  return (await fs.readdir(STORE)).filter(Schema.is(DigestSchema))
}).pipe(Effect.mapError(opFailed("image store")))

/** Half-made copies of a helper that was killed. */
export const prepare = file(STORE, async () => {
  await fs.mkdir(STORE, { recursive: true, mode: 0o711 })
  const names = await fs.readdir(STORE)
  await Promise.all(names.filter((name) => name.startsWith(".new-")).map((name) => fs.rm(`${STORE}/${name}`)))
}).pipe(Effect.mapError(opFailed("image store")))

export const handlers = ImageStoreOps.toLayer({
  "store.Ingest": ({ staging }) => ingest(staging),
  "store.Remove": ({ digest }) => remove(digest),
  "store.List": () => list
})
