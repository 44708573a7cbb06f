import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import { Unpaired, withBlock, withoutBlock } from "./block.ts"
import { rewrite } from "./file.ts"

const LINES = "Include /a\n"

/** The lines between the marks. */
const blockOf = (text: string) => /^# >>> banger: .*\n([^]*?)^# <<< banger <<<$/m.exec(text)?.[1]

describe("the block in a configuration of ssh", () => {
  it("comes and goes, and the rest stays byte for byte", () =>
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("a", " ", "#", "\r", "\n", "Host b\n", "\xff") }), (text) => {
      fc.pre(!/^# (>>> banger: |<<< banger <<<)/m.test(text))
      const once = withBlock(text, LINES)
      assert.isTrue(once.endsWith(text))
      assert.strictEqual(blockOf(once), LINES)
      assert.strictEqual(withBlock(once, LINES), once)
      assert.strictEqual(blockOf(withBlock(once, "Include /b\n")), "Include /b\n")
      assert.strictEqual(withoutBlock(once), text)
      assert.strictEqual(withoutBlock(text), text)
    })))

  it("comes first, also where somebody has moved it behind a Host, or saved it with the ends of lines of another system", () => {
    const moved = `Host a\n  Port 1\n${withBlock("", LINES)}Host b\n`
    assert.match(withBlock(moved, LINES), /^# >>> banger: .*\nInclude \/a\n# <<< banger <<<\nHost a\n {2}Port 1\nHost b\n$/)
    assert.strictEqual(withoutBlock(withBlock("Host a\n", LINES).replaceAll("\n", "\r\n")), "Host a\r\n")
  })

  it("is left alone when its marks are no pair", () => {
    const [begin = "", , end = ""] = withBlock("", LINES).split("\n")
    for (const text of [begin, end, `${end}\n${begin}\n`, `${begin}\n${begin}\n${end}\n`, withBlock("", LINES).repeat(2)]) {
      assert.throws(() => withBlock(text, LINES), Unpaired)
      assert.throws(() => withoutBlock(text), Unpaired)
    }
  })
})

describe("a configuration of ssh", () => {
  const scratch = Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(`${tmpdir()}/banger-ssh-`)),
    (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
  )
  const install = (path: string) => rewrite(path, (text) => withBlock(text, LINES))

  it.scopedLive("is made where there is none, for its owner alone", () => Effect.gen(function*() {
    const path = `${yield* scratch}/.ssh/config`
    assert.isTrue(yield* install(path))
    assert.isFalse(yield* install(path))
    assert.strictEqual(blockOf(fs.readFileSync(path, "utf8")), LINES)
    assert.deepStrictEqual([path, `${path}/..`].map((at) => fs.statSync(at.replace("/config/..", "")).mode & 0o777), [0o600, 0o700])
  }))

  it.scopedLive("keeps its mode, its bytes, and the link that leads to it", () => Effect.gen(function*() {
    const directory = yield* scratch
    const bytes = Buffer.concat([Buffer.from("Host a\n# "), Buffer.from([0xff, 0xfe, 0x0a])])
    fs.mkdirSync(`${directory}/dotfiles`)
    fs.writeFileSync(`${directory}/dotfiles/ssh`, bytes, { mode: 0o644 })
    fs.symlinkSync("dotfiles/ssh", `${directory}/config`)
    fs.symlinkSync("dotfiles/none yet %", `${directory}/other`)
    assert.isTrue(yield* install(`${directory}/config`))
    assert.isTrue(yield* install(`${directory}/other`))
    assert.isTrue(fs.lstatSync(`${directory}/config`).isSymbolicLink() && fs.lstatSync(`${directory}/other`).isSymbolicLink())
    assert.strictEqual(fs.statSync(`${directory}/dotfiles/ssh`).mode & 0o777, 0o644)
    assert.isTrue(yield* rewrite(`${directory}/config`, withoutBlock))
    assert.deepStrictEqual(fs.readFileSync(`${directory}/dotfiles/ssh`), bytes)
    assert.deepStrictEqual(fs.readdirSync(`${directory}/dotfiles`).toSorted(), ["none yet %", "ssh"])
  }))

  it.scopedLive("that cannot be written, or whose block is torn, is as it was, and said so", () => Effect.gen(function*() {
    const directory = yield* scratch
    fs.writeFileSync(`${directory}/file`, "")
    const under = yield* Effect.flip(install(`${directory}/file/config`))
    assert.match(under.message, /ENOTDIR|EEXIST|not a directory/)
    const torn = `${directory}/torn`
    fs.writeFileSync(torn, "# <<< banger <<<\n")
    assert.strictEqual((yield* Effect.flip(install(torn))).message, `${torn}: the two lines that mark banger's block are not a pair any more`)
    assert.strictEqual(fs.readFileSync(torn, "utf8"), "# <<< banger <<<\n")
  }))
})
