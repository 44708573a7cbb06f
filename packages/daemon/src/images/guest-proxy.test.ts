import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { caveats, forGuests } from "./guest-proxy.ts"

describe("the proxy of a build's script", () => {
  it("is that of whoever asked, unless it is this host's own", () => {
    const given = { http: "http://proxy.example:3128", https: "http://user:secret@10.1.2.3:3128", noProxy: ".example.org" }
    assert.deepStrictEqual(forGuests(given), given)
    for (const own of ["http://localhost:3128", "http://127.0.0.1:3128", "http://[::1]:3128"]) {
      assert.deepStrictEqual(forGuests({ http: own, https: given.https, noProxy: undefined }), { http: undefined, https: given.https, noProxy: undefined })
    }
  })

  it.live("is said not to be reached where it is in a private network, without its password", () => Effect.gen(function*() {
    const both = "http://user:secret@10.1.2.3:3128"
    assert.deepStrictEqual(yield* caveats({ http: both, https: both }), ["the proxy 10.1.2.3 is in a private network, which guests reach only with network.lan = true in /etc/banger/host.toml"])
    assert.match((yield* caveats({ https: "http://localhost:3128" }))[0] ?? "", /^the proxy localhost is this host's own/)
  }))

  it.live("is not remarked upon where guests reach it, or there is none", () => Effect.gen(function*() {
    assert.deepStrictEqual(yield* caveats({ http: "http://192.0.2.1:3128" }), [])
    assert.deepStrictEqual(yield* caveats({}), [])
  }))
})
