import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { orElse, proxyOf, proxyVariables, Session } from "./session.ts"

describe("a caller's session", () => {
  it("has the proxies of an environment as curl reads it", () => {
    const none = { http: undefined, https: undefined, noProxy: undefined }
    assert.deepStrictEqual(proxyOf({}), none)
    assert.deepStrictEqual(proxyOf({ HTTPS_PROXY: "http://a" }), { ...none, https: "http://a" })
    assert.deepStrictEqual(proxyOf({ HTTPS_PROXY: "http://a", https_proxy: "http://b" }), { ...none, https: "http://b" })
    assert.deepStrictEqual(proxyOf({ https_proxy: "", all_proxy: "socks5://c", NO_PROXY: "d" }), { http: "socks5://c", https: "socks5://c", noProxy: "d" })
  })

  it("gives programs both forms of each variable", () => {
    assert.deepStrictEqual(proxyVariables({ https: "http://a", noProxy: "b" }), { https_proxy: "http://a", HTTPS_PROXY: "http://a", no_proxy: "b", NO_PROXY: "b" })
    assert.deepStrictEqual(proxyVariables({}), {})
  })

  it("has its own proxy before another", () => {
    assert.deepStrictEqual(orElse({ http: "http://a" }, { https: "http://b" }), { http: "http://a" })
    assert.deepStrictEqual(orElse({ noProxy: "x" }, { https: "http://b" }), { https: "http://b" })
    assert.deepStrictEqual(orElse(undefined, { https: "http://b" }), { https: "http://b" })
  })

  it("shows no secret where it is printed", () => {
    const session = Schema.decodeSync(Session)({ proxy: {}, logins: { "registry.example": { username: "me", password: "hunter2", identityToken: "hunter3" } } })
    assert.notMatch(JSON.stringify(session) + String(session.logins["registry.example"]?.password), /hunter|"me"/)
    assert.include(JSON.stringify(Schema.encodeSync(Session)(session)), "hunter2")
  })
})
