import * as fs from "node:fs"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SHARED, shared, sharedFiles } from "./shared.ts"

const built = (at: string) => {
  for (const { from } of SHARED) {
    fs.mkdirSync(`${at}/share/${from}`.replace(/\/[^/]*$/, ""), { recursive: true })
    fs.writeFileSync(`${at}/share/${from}`, from)
  }
}
const files = (root: string) => sharedFiles(root).filter((path) => fs.existsSync(path))

describe("completion and manual", () => {
  it.scoped("are put where their readers are, again and again, and all of it is what uninstall removes", () => Effect.gen(function*() {
    const root = yield* temporary
    built(`${root}/install`)
    for (const { where } of SHARED) fs.mkdirSync(`${root}/host${where}`, { recursive: true })
    yield* shared(`${root}/install`, `${root}/host`)
    yield* shared(`${root}/install`, `${root}/host`)
    assert.deepStrictEqual(files(`${root}/host`), sharedFiles(`${root}/host`))
    const there = fs.readdirSync(`${root}/host`, { recursive: true, withFileTypes: true }).flatMap((entry) => entry.isFile() ? [`${entry.parentPath}/${entry.name}`] : [])
    assert.deepStrictEqual(there.toSorted(), [...sharedFiles(`${root}/host`)].toSorted())
    assert.strictEqual(fs.readFileSync(`${root}/host/usr/share/bash-completion/completions/banger`, "utf8"), "completion/banger.bash")
  }))

  it.scoped("are left out where nothing reads them, where a place cannot be written, and of an install that has none", () => Effect.gen(function*() {
    const root = yield* temporary
    yield* shared(`${root}/older`, `${root}/host`)
    built(`${root}/install`)
    yield* shared(`${root}/install`, `${root}/host`)
    assert.deepStrictEqual(files(`${root}/host`), [])
    fs.mkdirSync(`${root}/host/usr/share/fish/vendor_completions.d/banger.fish`, { recursive: true })
    fs.mkdirSync(`${root}/host/usr/local/share/man`, { recursive: true })
    yield* shared(`${root}/install`, `${root}/host`)
    assert.isTrue(fs.existsSync(`${root}/host/usr/local/share/man/man1/banger.1`))
  }))
})
