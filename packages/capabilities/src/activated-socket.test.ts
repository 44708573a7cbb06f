import { assert, describe, it } from "@effect/vitest"
import { passed } from "./activated-socket.ts"

describe("what systemd passes", () => {
  it("is found by its unit's name, each unit's in the order of its lines", () => {
    const sockets = passed({ LISTEN_PID: "7", LISTEN_FDS: "5", LISTEN_FDNAMES: "dns:dns:rpc:dns-guests:dns-guests" }, 7)
    assert.deepStrictEqual(["rpc", "dns", "dns-guests", "other"].map(sockets), [[5], [3, 4], [6, 7], []])
  })

  it("is nothing to a process that it is not meant for, such as a child", () => {
    for (const environment of [{}, { LISTEN_PID: "8", LISTEN_FDS: "1", LISTEN_FDNAMES: "rpc" }, { LISTEN_PID: "7" }]) {
      assert.deepStrictEqual(passed(environment, 7)("rpc"), [])
    }
  })
})
