import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { temporary } from "../testing/temporary.ts"
import { forwarder, overUdp, servfail } from "./forward.ts"

const query = Buffer.from("123401000001000000000000076578616d706c6503636f6d0000010001", "hex")

describe("forward", () => {
  it("an upstream that cannot be reached is an error of that query, and ends nothing else", async () => {
    // Link-local and of no link: connect fails at once, in the callback.
    const outcome = await overUdp("fe80::1%nosuch", query).then(() => "answered", () => "refused")
    assert.strictEqual(outcome, "refused")
  })

  it.scoped("a list of name servers that cannot be read ends nothing", () => Effect.gen(function*() {
    // A directory: it exists, and reading it fails.
    const forward = yield* forwarder(yield* temporary)
    assert.deepStrictEqual(yield* Effect.promise(() => forward(query, false)), servfail(query))
  }))

  it("SERVFAIL keeps the query's id and question", () => {
    const reply = servfail(query)
    assert.deepStrictEqual([reply.readUInt16BE(0), reply.readUInt16BE(2) & 0x800f, reply.subarray(12)], [0x1234, 0x8002, query.subarray(12)])
  })
})
