import { assert, describe, it } from "@effect/vitest"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import { pathToFileURL } from "node:url"
import { OpFailed } from "@banger/capabilities/op-failed.ts"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { hostValues } from "@banger/domain/host-config.ts"
import { HostFacts } from "../host-facts.ts"
import { makeReserve, runProgram } from "./program.ts"

const Environment = Schema.Struct({ https: Schema.String, HTTPS: Schema.String, none: Schema.String })

describe("a program of ours", () => {
  it.scopedLive("has the proxy of whoever asked in its environment, and not among its arguments", () => Effect.gen(function*() {
    const bin = yield* temporary
    fs.writeFileSync(`${bin}/banger-oci`, `#!/bin/sh\nprintf '{"https":"%s","HTTPS":"%s","none":"%s"}\\n' "$https_proxy" "$HTTPS_PROXY" "$no_proxy$*"\n`, { mode: 0o755 })
    const proxy = { https: "http://proxy.example:3128", noProxy: ".example.org" }
    const said = yield* Stream.runCollect(runProgram("banger-oci", Environment, [], "an image", { proxy }, pathToFileURL(`${bin}/`)))
    assert.deepStrictEqual(Chunk.toReadonlyArray(said), [{ https: proxy.https, HTTPS: proxy.https, none: ".example.org" }])
  }))

  it.effect("is told what to leave free of the disk, as root has it now; who cannot be told begins nothing", () => Effect.gen(function*() {
    const said = (hello: HostFacts["Type"]["hello"]) => makeReserve.pipe(Effect.flatten, Effect.provideService(HostFacts, { hello, helper: Effect.never, bootId: "" }))
    assert.deepStrictEqual(yield* said(Effect.succeed({ version: "1", host: {}, cidr: hostValues({}).cidr, reserveBytes: 5 })), ["--reserve", "5"])
    const away = new HelperUnreachable({ problem: "not running" })
    assert.strictEqual(yield* Effect.flip(said(away)), away)
    assert.strictEqual((yield* Effect.flip(said(new OpFailed({ subject: "root helper", problem: "it speaks protocol 2", fix: "restart" }))))._tag, "StepFailed")
  }))
})
