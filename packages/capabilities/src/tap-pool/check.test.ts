import { assert, describe, it } from "@effect/vitest"
import { bridge } from "./check.ts"
import type { TapFacts } from "./ops.ts"

const good: typeof TapFacts.Type = { tun: "there", ip: "ip", bridge: true, antiSpoofing: true, address: "172.16.0.1/24", addresses: ["172.16.0.1/24"], clash: null, astray: [], strangers: [] }

describe("bridge", () => {
  for (const [what, facts, tag, said] of [
    ["as it must be", {}, "Ready", /172\.16\.0\.1\/24/],
    ["a network that is somebody's", { clash: { problem: "in use: lan0", fix: "cidr" }, addresses: [] }, "NotReady", /in use: lan0/],
    ["an address that was taken", { addresses: [] }, "NotReady", /does not have its address 172\.16\.0\.1\/24/],
    ["an address of somebody's", { addresses: ["172.16.0.1/24", "192.168.9.7/24"] }, "NotReady", /has 192\.168\.9\.7\/24/],
    ["a TAP that was taken", { astray: ["bng2"] }, "NotReady", /bng2/],
    ["a link that only has the name", { strangers: ["bng0"] }, "Warning", /bng0/]
  ] as const) {
    it(`${what}: ${tag}`, () => {
      const verdict = bridge({ ...good, ...facts })
      assert.strictEqual(verdict._tag, tag)
      assert.match("problem" in verdict ? verdict.problem : verdict.detail, said)
    })
  }
})
