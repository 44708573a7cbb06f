import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { run } from "./exec.ts"
import { file, wholly, writeWhole } from "./files.ts"
import { synced } from "./testing/synced.ts"

const directory = fs.mkdtempSync(`${tmpdir()}/banger-files-`)
afterAll(() => fs.rmSync(directory, { recursive: true }))

describe("a file that is of no use in part", () => {
  const part = `${directory}/part`
  const written = (then: string) => wholly(part)(run(["sh", "-c", `echo begun > ${part}; ${then}`]))

  it.live("stays when its writer succeeds", () => Effect.gen(function*() {
    yield* written("exit 0")
    assert.strictEqual(fs.readFileSync(part, "utf8"), "begun\n")
  }))

  it.live("goes when its writer fails", () => Effect.gen(function*() {
    yield* Effect.flip(written("exit 1"))
    assert.deepStrictEqual(fs.readdirSync(directory), [])
  }))

  it.live("goes when its writer is interrupted, which writes no more by then", () => Effect.gen(function*() {
    execFileSync("mkfifo", [`${directory}/begun`])
    const writer = yield* Effect.fork(written(`echo > ${directory}/begun; while :; do echo more >> ${part}; done`))
    yield* file(directory, () => fs.promises.readFile(`${directory}/begun`))
    yield* Fiber.interrupt(writer)
    assert.deepStrictEqual(fs.readdirSync(directory), ["begun"])
    fs.rmSync(`${directory}/begun`)
  }))

  it.scoped("is on the disk whole before it has its name, and its name before anybody hears of it", () => Effect.gen(function*() {
    const names = yield* synced
    yield* writeWhole(`${directory}/record`, "content", 0o600)
    assert.deepStrictEqual(names, [`${directory}/record.new`, directory])
    fs.rmSync(`${directory}/record`)
  }))

  it.live("goes when it cannot be put in its place", () => Effect.gen(function*() {
    fs.mkdirSync(`${directory}/place/taken`, { recursive: true })
    yield* Effect.flip(writeWhole(`${directory}/place`, "content", 0o600))
    assert.deepStrictEqual(fs.readdirSync(directory), ["place"])
  }))
})
