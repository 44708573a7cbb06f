import { assert, describe, it } from "@effect/vitest"
import { judge } from "./check.ts"

const status = { bound: ["172.16.0.1:53"], failed: [], held: true }

describe("the name server's state", () => {
  it("is unfit where a port is taken, with the command that shows by whom", () => {
    const verdict = judge({ ...status, failed: ["172.16.0.1:53: EADDRINUSE"] })
    assert.strictEqual(verdict._tag, "NotReady")
    assert.match(JSON.stringify(verdict), /EADDRINUSE.*ss -lntup/)
  })

  it("is a warning where anybody may take the ports while the daemon is away", () => {
    assert.strictEqual(judge({ ...status, held: false })._tag, "Warning")
    assert.strictEqual(judge(status)._tag, "Ready")
  })
})
