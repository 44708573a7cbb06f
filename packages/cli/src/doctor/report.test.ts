import { assert, describe, it } from "@effect/vitest"
import { redacted } from "./report.ts"

const secrets = { home: "/home/ada", user: "ada", host: "analytical", vms: ["web", "web-two"] }

describe("a report", () => {
  it("tells neither who and where its user is, nor what the VMs are called", () => {
    assert.strictEqual(
      redacted("web-two crashed; web runs; /home/ada/.config of ada@analytical; website adapts", secrets),
      "vm-2 crashed; vm-1 runs; ~/.config of USER@HOST; website adapts"
    )
  })

  it("tells no credentials", () => {
    assert.strictEqual(redacted("urls = [\"https://ada:pw@example.org/catalog\"]\napi_token = abc\nPassword: x y", secrets),
      "urls = [\"https://example.org/catalog\"]\napi_token = …\nPassword: … y")
  })
})
