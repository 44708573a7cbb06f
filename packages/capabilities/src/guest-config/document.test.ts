import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { pipeline } from "../pipeline.ts"
import { testSpec } from "../testing/spec.ts"
import { compose } from "./document.ts"

describe("guest document", () => {
  it.effect("is what every capability says, together", () => Effect.gen(function*() {
    const document = yield* compose(testSpec(), pipeline.guest(testSpec()))
    assert.strictEqual(document.hostname, "brave-otter")
    assert.strictEqual(document.network?.address, "172.16.0.5/24")
    assert.deepStrictEqual(document.mounts.map(({ at, device }) => [device, at]), [["/dev/vdb", "/root"], ["/dev/vdc", "/lib/modules/6.1.0-40-cloud-amd64"]])
    assert.include(document.mask, "systemd-resolved.service")
  }))

  it.effect("two capabilities that write the same file are refused by name", () => Effect.gen(function*() {
    const motd = { files: [{ path: "/etc/motd", mode: "0644", content: "hello" }] }
    const error = yield* Effect.flip(compose(testSpec(), [["one", motd], ["two", motd]]))
    assert.strictEqual(error.message, "one and two both set the file /etc/motd")
  }))
})
