import { assert, describe, it } from "@effect/vitest"
import { judge, routing } from "./check.ts"

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

describe("names on the host", () => {
  const found = { primary: "banger.vm", servers: ["127.0.0.53"], resolved: true, link: true }

  it("are ready where the answer is banger's own, whoever passed it on", () => {
    assert.strictEqual(routing(found)._tag, "Ready")
    assert.strictEqual(routing({ ...found, servers: ["192.0.2.1"], resolved: false, link: false })._tag, "Ready")
    // A name server of the network's own zone `vm`.
    assert.strictEqual(routing({ ...found, primary: "ns.example.org" })._tag, "Warning")
  })

  it("are a warning otherwise, with what is missing", () => {
    const fix = (without: Partial<typeof found>) => JSON.stringify(routing({ ...found, primary: "ENOTFOUND", ...without }))
    assert.match(fix({ link: false }), /"fix":"sudo systemctl restart banger-dns","runs":true/)
    assert.match(fix({}), /"fix":"sudo systemctl restart systemd-resolved","runs":true/)
    assert.match(fix({ servers: ["192.0.2.1"] }), /192.0.2.1: ENOTFOUND.*stub-resolv.conf/)
    assert.match(fix({ resolved: false, servers: [] }), /no name server: ENOTFOUND.*42069.*dns-routing.md/)
  })
})
