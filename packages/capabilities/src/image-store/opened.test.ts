import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { openedOfOwner } from "./opened.ts"

const base = mkdtempSync(`${tmpdir()}/banger-opened-`)
afterAll(() => rmSync(base, { recursive: true, force: true }))

const own = process.getuid?.() ?? 0
const refused = (path: string, uid = own) => Effect.map(Effect.flip(Effect.scoped(openedOfOwner(path, uid))), ({ message }) => message)

describe("a staged file", () => {
  it.live("is taken when it is a regular file of the owner's", () => Effect.gen(function*() {
    writeFileSync(`${base}/image`, "content")
    const handle = yield* openedOfOwner(`${base}/image`, own)
    assert.strictEqual(yield* Effect.promise(() => handle.readFile("utf8")), "content")
  }).pipe(Effect.scoped))

  it.live("is refused when somebody else owns it, when a link stands in its place, and when it is no file", () => Effect.gen(function*() {
    writeFileSync(`${base}/secret`, "")
    symlinkSync(`${base}/secret`, `${base}/link`)
    execFileSync("mkfifo", [`${base}/fifo`])
    assert.match(yield* refused(`${base}/secret`, own + 1), /not a regular file of the owner's/)
    assert.match(yield* refused(`${base}/link`), /symbolic link/)
    assert.match(yield* refused(`${base}/fifo`), /not a regular file of the owner's/)
    assert.match(yield* refused(base), /not a regular file of the owner's/)
  }))
})
