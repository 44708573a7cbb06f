import { assert, describe, it } from "@effect/vitest"
import { VmRecord } from "@banger/domain/vm.ts"
import { testSpec } from "@banger/capabilities/testing/spec.ts"
import { hostUptime } from "../host-facts.ts"
import { view } from "./view.ts"

const HOUR = 3_600_000
const record = (change: Partial<VmRecord>) =>
  new VmRecord({ spec: testSpec(), state: "running", reason: "", createdAt: 0, startedAt: Date.now(), startedUptime: hostUptime(), ephemeral: null, hostBoot: "", ...change })

describe("a VM's uptime", () => {
  it("counts no wall-clock time: not of a clock that was set forward or back since", () => {
    for (const stepped of [-4 * HOUR, 2 * HOUR]) {
      const { uptimeMs } = view(record({ startedAt: Date.now() + stepped, startedUptime: hostUptime() - 65_000 }))
      assert.approximately(uptimeMs ?? -1, 65_000, 2_000)
    }
  })

  it("is never negative, also of a VM that an earlier version started", () => {
    assert.strictEqual(view(record({ startedAt: Date.now() + HOUR, startedUptime: null })).uptimeMs, 0)
    assert.approximately(view(record({ startedAt: Date.now() - HOUR, startedUptime: null })).uptimeMs ?? -1, HOUR, 2_000)
  })

  it("is none of a VM that does not run", () => {
    assert.isNull(view(record({ state: "stopped" })).uptimeMs)
    assert.isNull(view(record({ startedAt: null })).uptimeMs)
  })
})
