import * as RpcTest from "@effect/rpc/RpcTest"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import { StagingId } from "@banger/domain/ids.ts"
import { elsewhere } from "../testing/elsewhere.ts"
import { RESERVE_BYTES, settings } from "../testing/settings.ts"
import { synced } from "../testing/synced.ts"
import { ImageStoreOps } from "./ops.ts"

const { directory, handlers, paths: { STAGING, STORE, staged } } = await elsewhere(() => import("./ops-live.ts"))
afterAll(() => fs.rmSync(directory, { recursive: true }))

const DIGEST = "b".repeat(64)

/** The program of an install that copies files, told what to leave free; the real one is native. */
const install = `${directory}/install`
fs.mkdirSync(`${install}/bin`, { recursive: true })
fs.writeFileSync(`${install}/bin/banger-store`, `#!/bin/sh\nPATH=/usr/bin:/bin; [ "$1 $2 $3" = "copy --reserve ${RESERVE_BYTES}" ] && cat > "$4"\necho '{"digest":"${DIGEST}","bytes":8}'\n`, { mode: 0o755 })
fs.mkdirSync(STAGING, { recursive: true })

const ingest = (staging: StagingId, uid = process.getuid?.() ?? 0) =>
  Effect.flatMap(RpcTest.makeClient(ImageStoreOps), ({ store }) => store.Ingest({ staging })).pipe(Effect.provide(Layer.provide(handlers, settings({ install, uid }))))

describe("a file of the image store", () => {
  const staging = StagingId.make("c".repeat(16))

  it.scoped("has its name on the disk before anybody hears of it", () => Effect.gen(function*() {
    fs.writeFileSync(staged(staging), "an image")
    const names = yield* synced
    const { digest } = yield* ingest(staging)
    assert.strictEqual(digest, DIGEST)
    assert.strictEqual(names.at(-1), STORE)
    assert.strictEqual(fs.readFileSync(`${STORE}/${DIGEST}`, "utf8"), "an image")
  }))

  const nothingStored = () => assert.deepStrictEqual(fs.existsSync(STORE) ? fs.readdirSync(STORE).filter((name) => name !== DIGEST) : [], [])

  it.scoped("is never what a link leads to: the owner stages it, and root reads more than the owner", () => Effect.gen(function*() {
    fs.writeFileSync(`${directory}/secret`, "root's alone")
    fs.rmSync(staged(staging), { force: true })
    fs.symlinkSync(`${directory}/secret`, staged(staging))
    assert.include((yield* Effect.flip(ingest(staging))).message, "ELOOP")
    nothingStored()
  }))

  it.scoped("is never another user's, nor anything but a regular file", () => Effect.gen(function*() {
    fs.rmSync(staged(staging), { force: true })
    fs.writeFileSync(staged(staging), "another's")
    assert.include((yield* Effect.flip(ingest(staging, 4242))).message, "not a regular file of the owner's")
    fs.rmSync(staged(staging))
    fs.mkdirSync(staged(staging))
    assert.include((yield* Effect.flip(ingest(staging))).message, "not a regular file of the owner's")
    nothingStored()
  }))
})
