import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { afterAll, afterEach, assert, describe, it, vi } from "@effect/vitest"

const directory = mkdtempSync(`${tmpdir()}/banger-root-bundle-`)
const bundle = `${directory}/bangerd-root.mjs`
vi.resetModules()
vi.doMock("./paths.ts", async (original) => ({ ...await original<object>(), beside: () => bundle, ownCommand: () => "./build/bin/banger", sudoCommand: () => "banger" }))
const { askRoot } = await import("./root-bundle.ts")
vi.doUnmock("./paths.ts")
vi.resetModules()

afterAll(() => rmSync(directory, { recursive: true }))
afterEach(() => {
  vi.unstubAllGlobals()
  rmSync(bundle, { force: true })
})

const Answer = Schema.Struct({ argv: Schema.Array(Schema.String) })
const words = ["internal", "nat", "up", "--tap", "tap 0"]
const as = (uid: number) => vi.stubGlobal("process", Object.assign(Object.create(process), { getuid: () => uid }))
const asked = Effect.map(Effect.either(askRoot(words, Answer)), (either) => either._tag === "Right" ? either.right.argv : [either.left.message, either.left.hint])

describe("the root bundle, asked", () => {
  it.effect("is root's, and the command line that is refused is shown as it would be typed", () => Effect.gen(function*() {
    as(1000)
    const [problem, fix] = yield* asked
    assert.strictEqual(problem, "banger internal nat needs root")
    assert.match(fix ?? "", /^sudo (banger|\.\/build\/bin\/banger) internal nat up --tap 'tap 0'$/)
  }))

  it.live("gets the words after the group, and its answer is read", () => Effect.gen(function*() {
    as(0)
    writeFileSync(bundle, "console.log(JSON.stringify({ argv: process.argv.slice(2) }))")
    assert.deepStrictEqual(yield* asked, ["nat", "up", "--tap", "tap 0", "--json"])
  }))

  it.live("what it refuses is told in its words; what it breaks with, too", () => Effect.gen(function*() {
    as(0)
    assert.deepStrictEqual(yield* asked, [`${bundle} is missing`, "make build makes it"])
    writeFileSync(bundle, `console.error(JSON.stringify({ message: "tap0 is no TAP", hint: "look" })); process.exitCode = 1`)
    assert.deepStrictEqual(yield* asked, ["tap0 is no TAP", "look"])
    writeFileSync(bundle, `console.error("boom\\n  at somewhere"); process.exitCode = 1`)
    assert.deepStrictEqual(yield* asked, ["boom", ""])
    writeFileSync(bundle, `console.log("{}")`)
    assert.deepStrictEqual(yield* asked, ["lib/bangerd-root.mjs is of another version", "make build"])
  }))
})
