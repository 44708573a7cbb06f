import { assert, describe, it } from "@effect/vitest"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import { pathToFileURL } from "node:url"
import { runProgram } from "./program.ts"

const Environment = Schema.Struct({ https: Schema.String, HTTPS: Schema.String, none: Schema.String })

describe("a program of ours", () => {
  it.scopedLive("has the proxy of whoever asked in its environment, and not among its arguments", () => Effect.gen(function*() {
    const bin = yield* temporary
    fs.writeFileSync(`${bin}/banger-oci`, `#!/bin/sh\nprintf '{"https":"%s","HTTPS":"%s","none":"%s"}\\n' "$https_proxy" "$HTTPS_PROXY" "$no_proxy$*"\n`, { mode: 0o755 })
    const proxy = { https: "http://proxy.example:3128", noProxy: ".example.org" }
    const said = yield* Stream.runCollect(runProgram("banger-oci", Environment, [], "an image", { proxy }, pathToFileURL(`${bin}/`)))
    assert.deepStrictEqual(Chunk.toReadonlyArray(said), [{ https: proxy.https, HTTPS: proxy.https, none: ".example.org" }])
  }))
})
