import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { Digest } from "@banger/domain/ids.ts"
import { elsewhere } from "../testing/elsewhere.ts"
import { settings } from "../testing/settings.ts"

const { directory, joinedInitrd, paths: { INITRDS, STORE, stored } } = await elsewhere(() => import("./initrd.ts"))
afterAll(() => fs.rmSync(directory, { recursive: true }))

const modules = Digest.make("a".repeat(64))
const install = `${directory}/install`
fs.mkdirSync(`${install}/lib`, { recursive: true })
fs.mkdirSync(STORE, { recursive: true })
fs.writeFileSync(`${install}/lib/guest.cpio`, "program")

const joined = Effect.provide(joinedInitrd(modules), settings({ install }))

describe("an initrd", () => {
  it.effect("has the modules with the guest program behind them", () => Effect.gen(function*() {
    fs.writeFileSync(stored(modules), "modules,")
    assert.strictEqual(fs.readFileSync(yield* joined, "utf8"), "modules,program")
    fs.rmSync(INITRDS, { recursive: true })
  }))

  it.effect("is not made where there is no room for it", () => Effect.gen(function*() {
    fs.truncateSync(stored(modules), 8 * 2 ** 40)
    assert.include((yield* Effect.flip(joined)).message, "TiB are wanted")
    assert.deepStrictEqual(fs.readdirSync(INITRDS), [])
  }))
})
