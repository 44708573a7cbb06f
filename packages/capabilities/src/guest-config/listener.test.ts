import { mkdtempSync, rmSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { GuestListener } from "./contract.ts"
import type { GuestDocument } from "./document.ts"
import { layer } from "./listener.ts"

const base = mkdtempSync(`${tmpdir()}/banger-listener-`)
afterAll(() => rmSync(base, { recursive: true }))

/** The status of the answer; 0 when the connection breaks. */
const ask = (method: string, path: string, body = "") =>
  Effect.async<number>((resume) => {
    const request = Http.request({ socketPath: `${base}/v.sock`, method, path, agent: false }, (answer) => {
      answer.resume()
      resume(Effect.succeed(answer.statusCode ?? -1))
    })
    request.on("error", () => resume(Effect.succeed(0)))
    request.end(body)
  })

const listening = Effect.flatMap(GuestListener, ({ serve }) => serve(`${base}/v.sock`, Effect.succeed({} as GuestDocument)))

describe("what a guest may say while it boots", () => {
  it.scopedLive("is short", () => Effect.gen(function*() {
    yield* listening
    assert.strictEqual(yield* ask("POST", "/v1/nothing", "x".repeat(64 << 10)), 404)
    assert.strictEqual(yield* ask("POST", "/v1/nothing", "x".repeat(128 << 10)), 0)
  }).pipe(Effect.provide(layer)))

  it.scopedLive("is reduced to text", () => Effect.gen(function*() {
    const ready = yield* listening
    assert.strictEqual(yield* ask("POST", "/v1/failed", JSON.stringify({ step: "a\x1b[2J", message: "b\x07".repeat(1_000) })), 204)
    const { problem, step } = yield* Effect.flip(ready)
    assert.strictEqual(step, "a?[2J")
    assert.strictEqual(problem, "b?".repeat(150))
  }).pipe(Effect.provide(layer)))

  it.scopedLive("is heard once: later any of its processes could ask for the host key", () => Effect.gen(function*() {
    const ready = yield* listening
    assert.strictEqual(yield* ask("GET", "/v1/config"), 200)
    assert.strictEqual(yield* ask("POST", "/v1/ready"), 204)
    yield* ready
    assert.strictEqual(yield* ask("GET", "/v1/config"), 410)
    assert.strictEqual(yield* ask("POST", "/v1/failed", "{}"), 410)
  }).pipe(Effect.provide(layer)))
})
