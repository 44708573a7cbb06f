import { execFileSync } from "node:child_process"
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { showFile } from "./log-file.ts"

const base = mkdtempSync(`${tmpdir()}/banger-log-`)
afterAll(() => rmSync(base, { recursive: true, force: true }))

const shown = (path: string) => {
  let text = ""
  const write = (piece: string | Uint8Array) => Effect.sync(() => void (text += Buffer.from(piece).toString()))
  return Effect.map(showFile(path, { follow: undefined, tail: undefined, to: { terminal: false, write } }), () => text)
}

describe("a log", () => {
  it.live("is not what a link in its place leads to, and a FIFO in its place is not waited for", () => Effect.gen(function*() {
    writeFileSync(`${base}/secret`, "secret")
    symlinkSync(`${base}/secret`, `${base}/link`)
    execFileSync("mkfifo", [`${base}/fifo`])
    assert.match((yield* Effect.flip(shown(`${base}/link`))).message, /cannot read .*link: .*symbolic link/)
    assert.match((yield* Effect.flip(shown(`${base}/fifo`))).message, /cannot read .*fifo/)
  }))

  it.live("is followed where the kernel has no watch to give, too", () => Effect.gen(function*() {
    const path = `${base}/console.log`
    writeFileSync(path, "one\n")
    const ended = yield* Deferred.make<void>()
    let text = ""
    const write = (piece: string | Uint8Array) =>
      Effect.suspend(() => {
        text += Buffer.from(piece).toString()
        if (text === "one\n") return Effect.sync(() => appendFileSync(path, "two\n"))
        return Deferred.succeed(ended, undefined)
      })
    yield* showFile(path, { follow: Deferred.await(ended), tail: undefined, to: { terminal: false, write } }, () => {
      throw new Error("ENOSPC: System limit for number of file watchers reached")
    })
    assert.strictEqual(text, "one\ntwo\n")
  }))
})
