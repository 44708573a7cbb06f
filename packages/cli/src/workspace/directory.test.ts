import { execFileSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { directory as named, planBeside } from "../run/sent.ts"
import { base, unpack } from "../testing/repositories.ts"
import { type Named, planDirectory, prepareDirectory } from "./directory.ts"

const plain = `${base}/plain`
const as = (from: string, name?: string): Named => ({ from, name })
/** Type, mode, size of files, target of links and name of everything in a directory. */
const listing = (directory: string) => execFileSync("sh", ["-c", "find . -printf '%y %m %l %p\\0' | sort -z; find . -type f -print0 | sort -z | xargs -0 cksum"], { cwd: directory }).toString("latin1")

const arrived = (from: string) =>
  Effect.scoped(Effect.gen(function*() {
    const into = mkdtempSync(`${base}/guest-`)
    yield* unpack(into, (yield* prepareDirectory(yield* planDirectory(as(from)))).read)
    return into
  }))

beforeAll(() => {
  mkdirSync(base, { recursive: true })
  mkdirSync(`${plain}/.git/refs`, { recursive: true })
  mkdirSync(`${plain}/empty`)
  for (const name of ["-dash", "new\nline", ".hidden", ".git/HEAD", "dry"]) writeFileSync(`${plain}/${name}`, name)
  writeFileSync(Buffer.concat([Buffer.from(`${plain}/`), Buffer.from([0xff, 0xfe])]), "not text")
  chmodSync(`${plain}/dry`, 0o751)
  chmodSync(`${plain}/empty`, 0o1777)
  symlinkSync("/etc/passwd", `${plain}/link`)
  symlinkSync("nowhere", `${plain}/dangling`)
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

describe("a directory that is sent as it is", () => {
  it.live("arrives whole: hidden, odd and empty names, modes, links, also a .git", () =>
    Effect.map(arrived(plain), (into) => assert.strictEqual(listing(into), listing(plain))))

  it.live("arrives when it is empty, with its mode", () => Effect.gen(function*() {
    mkdirSync(`${base}/nothing`, { mode: 0o700 })
    assert.strictEqual(listing(yield* arrived(`${base}/nothing`)), listing(`${base}/nothing`))
  }))

  it.live("keeps times, but for those to come", () => Effect.gen(function*() {
    mkdirSync(`${base}/times`)
    for (const [name, at] of [["past", 1_000_000_000], ["future", 4_000_000_000]] as const) {
      writeFileSync(`${base}/times/${name}`, "")
      utimesSync(`${base}/times/${name}`, at, at)
    }
    const [past, future] = execFileSync("stat", ["-c", "%Y", "past", "future"], { cwd: yield* arrived(`${base}/times`) }).toString().trim().split("\n").map(Number)
    assert.strictEqual(past, 1_000_000_000)
    assert.isAtMost(future ?? Infinity, Date.now() / 1000)
  }))

  it.live("leaves out what means nothing elsewhere", () => Effect.gen(function*() {
    mkdirSync(`${base}/special`)
    writeFileSync(`${base}/special/file`, "")
    execFileSync("mkfifo", [`${base}/special/fifo`])
    assert.deepStrictEqual((yield* planDirectory(as(`${base}/special`))).members.map(({ path }) => String(path)), ["file"])
    yield* arrived(`${base}/special`)
  }))

  it.effect("has a place in the guest: its own name, or the one that it is given", () => Effect.gen(function*() {
    const targets = yield* Effect.forEach([as(plain), as(`${plain}/`), as(`${plain}/empty/..`), as(plain, "data")], (each) => Effect.map(planDirectory(each), ({ target }) => target))
    assert.deepStrictEqual(targets, ["/root/plain", "/root/plain", "/root/plain", "/root/data"])
  }))

  it.effect("with a colon in its name is taken by its name, and may be given another", () => Effect.gen(function*() {
    for (const name of ["backup-10", "backup-10:30"]) mkdirSync(`${base}/${name}`)
    const target = (given: string) => Effect.flatMap(Schema.decodeUnknown(named)(`${base}/${given}`), (each) => Effect.map(planDirectory(each), ({ from, target }) => [from.slice(base.length), target]))
    assert.deepStrictEqual(yield* target("backup-10:30"), ["/backup-10:30", "/root/backup-10:30"])
    assert.deepStrictEqual(yield* target("backup-10:30:x"), ["/backup-10:30", "/root/x"])
    assert.deepStrictEqual(yield* target("backup-10:x"), ["/backup-10", "/root/x"])
  }))

  it.effect("is refused before anything is made: not there, a file, the whole host, unreadable", () => Effect.gen(function*() {
    const refusal = (from: string) => Effect.map(Effect.flip(planDirectory(as(from))), ({ message }) => message)
    assert.match(yield* refusal(`${base}/nowhere`), /cannot send .*nowhere: ENOENT/)
    assert.match(yield* refusal(`${plain}/dry`), /dry: it is no directory$/)
    assert.match(yield* refusal("/"), /the whole host is not sent$/)
  }))

  // The kernel lets root read everything.
  it.effect.skipIf(process.geteuid?.() === 0)("is refused where a part of it may not be read", () => Effect.gen(function*() {
    mkdirSync(`${base}/closed/deep`, { recursive: true })
    writeFileSync(`${base}/closed/deep/secret`, "", { mode: 0 })
    assert.match((yield* Effect.flip(planDirectory(as(`${base}/closed`)))).message, /"deep\/secret" may not be read$/)
  }))
})

describe("directories beside each other", () => {
  const read = Schema.decodeUnknownEither(named)

  it("are named DIR or DIR:NAME, and nothing that leads out of /root", () => {
    assert.deepStrictEqual(["a", "./a:b", "a:b:c"].map((given) => Either.getOrNull(read(given))), [
      { from: "a", name: undefined }, { from: "./a", name: "b" }, { from: "a:b", name: "c" }])
    for (const given of ["", ":b", "a:", "a:.", "a:..", "a:b/c", "a:/b", `a:${"n".repeat(256)}`]) assert.isTrue(Either.isLeft(read(given)), given)
  })

  it.effect("are refused where one would be put into the place of another", () => Effect.gen(function*() {
    const main = yield* planDirectory(as(plain))
    assert.deepStrictEqual((yield* planBeside(main, [as(`${plain}/empty`), as(plain, "again")])).beside.map(({ target }) => target), ["/root/empty", "/root/again"])
    for (const [first, beside] of [[main, [as(plain)]], [main, [as(`${plain}/empty`), as(plain, "empty")]], [undefined, [as(plain), as(`${plain}/empty`, "plain")]]] as const) {
      const misuse = yield* Effect.flip(planBeside(first, beside))
      assert.match(misuse.message, /two directories would be \/root\/(?:plain|empty) in the guest/)
    }
  }))
})
