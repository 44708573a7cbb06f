import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Degraded } from "../degraded.ts"
import { temporary } from "../testing/temporary.ts"
import { bounded, consoleTail } from "./console.ts"

const LIMITS = { most: 10_000, kept: 1_000 }

const text = (log: string) => fs.readFileSync(log, "utf8")
/** Empty for an instant, then begun anew. */
const shortened = (log: string) => Effect.repeat(Effect.yieldNow(), { until: () => fs.statSync(log).size < LIMITS.most && text(log).endsWith("b line\n") })

describe("console", () => {
  it.scopedLive("a log that grows beyond its bound keeps its end, and says what is missing", () => Effect.gen(function*() {
    const log = path.join(yield* temporary, "console.log")
    fs.writeFileSync(log, "a line\n".repeat(2_000))
    yield* bounded(log, LIMITS)
    assert.match(text(log), /^\[banger: 13000 bytes of earlier output were dropped\]\n/)
    // As systemd opened it for Firecracker.
    const appending = fs.openSync(log, "a")
    fs.writeSync(appending, "b line\n".repeat(2_000))
    yield* shortened(log)
    fs.writeSync(appending, "the last line\n")
    fs.closeSync(appending)
    assert.strictEqual(text(log).match(/banger:/g)?.length, 1)
    assert.isTrue(text(log).endsWith("b line\nthe last line\n"))
    assert.strictEqual(yield* consoleTail(log), "the last line")
  }))

  it.scopedLive("where the kernel has no watch left to give, one looks", () => Effect.gen(function*() {
    const log = path.join(yield* temporary, "console.log")
    fs.writeFileSync(log, "")
    yield* bounded(log, LIMITS, () => { throw Object.assign(new Error("inotify"), { code: "ENOSPC" }) })
    assert.include((yield* Degraded).get(`watch of ${log}`)?.problem, "no watch is to be had: Error: inotify")
    fs.appendFileSync(log, "b line\n".repeat(2_000))
    yield* shortened(log)
  }))
})
