import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { temporary } from "./testing/temporary.ts"
import { changeableByOthers } from "./tool.ts"

const own = process.getuid?.() ?? 0

describe("a program that root runs", () => {
  it.scoped("is nobody else's to change: not the file, not what stands above it, not a link to it", () => Effect.gen(function*() {
    const directory = yield* temporary
    const bin = `${directory}/bin`
    const program = `${bin}/firecracker`
    fs.mkdirSync(bin, { mode: 0o755 })
    fs.writeFileSync(program, "", { mode: 0o755 })
    const found = () => changeableByOthers(program, own)
    assert.isNull(found())
    fs.chmodSync(program, 0o757)
    assert.strictEqual(found(), program)
    fs.chmodSync(program, 0o755)
    fs.chmodSync(bin, 0o757)
    assert.strictEqual(found(), bin)
    fs.chmodSync(bin, 0o755)
    const links = `${directory}/links`
    fs.mkdirSync(links)
    fs.chmodSync(links, 0o777)
    fs.symlinkSync(program, `${links}/firecracker`)
    assert.strictEqual(changeableByOthers(`${links}/firecracker`, own), links)
    // A link to a link: the one in the middle is somebody's to exchange.
    fs.symlinkSync(`${links}/firecracker`, `${bin}/linked`)
    assert.strictEqual(changeableByOthers(`${bin}/linked`, own), links)
    assert.isNull(changeableByOthers(`${bin}/missing`, own))
    // Nobody may exchange another's link in a sticky directory, but its owner.
    fs.chmodSync(links, 0o1777)
    assert.isNull(changeableByOthers(`${links}/firecracker`, own))
    if (own !== 0) return
    fs.lchownSync(`${links}/firecracker`, 65534, 65534)
    assert.strictEqual(changeableByOthers(`${links}/firecracker`), `${links}/firecracker`)
  }))
})
