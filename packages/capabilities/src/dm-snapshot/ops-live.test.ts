import * as RpcTest from "@effect/rpc/RpcTest"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { Digest, VmId } from "@banger/domain/ids.ts"
import { elsewhere } from "../testing/elsewhere.ts"
import { settings } from "../testing/settings.ts"
import { synced } from "../testing/synced.ts"
import { DmOps } from "./ops.ts"

const { directory, handlers, paths: { cowFile, estate, ROOT_STATE, STORE, stored } } = await elsewhere(() => import("./ops-live.ts"))
afterAll(() => fs.rmSync(directory, { recursive: true }))

describe("a COW file", () => {
  it.scoped("is on the disk with its name, and its directory's, before anybody hears of it", () => Effect.gen(function*() {
    const [image, vm] = [Digest.make("a".repeat(64)), VmId.make("0123456789abcdef")]
    fs.mkdirSync(STORE, { recursive: true })
    fs.writeFileSync(stored(image), "an image")
    const names = yield* synced
    yield* (yield* RpcTest.makeClient(DmOps)).dm.EnsureCow({ vm, image })
    assert.deepStrictEqual(names, [`${ROOT_STATE}/vms`, `${cowFile(vm)}.new`, estate(vm)])
    assert.isTrue(fs.existsSync(cowFile(vm)))
  }).pipe(Effect.provide(handlers), Effect.provide(settings())))
})
