import { assert, describe, it } from "@effect/vitest"
import * as dnsPacket from "dns-packet"
import { answer } from "./zone.ts"

const ask = (name: string, type: dnsPacket.RecordType = "A", flags = 0) =>
  dnsPacket.decode(dnsPacket.encode(answer(
    { type: "query", id: 7, flags, questions: [{ name, type, class: "IN" }] },
    (label) => label === "brave-otter" ? "172.16.0.5" : undefined
  )))
const rcode = (packet: dnsPacket.Packet) => (packet.flags ?? 0) & 15

describe("zone vm", () => {
  it("answers a VM's name, in any case, and names below it", () => {
    for (const name of ["brave-otter.vm", "Brave-Otter.VM", "app.brave-otter.vm"]) {
      const packet = ask(name)
      assert.strictEqual(rcode(packet), 0)
      assert.deepInclude(packet.answers?.[0], { type: "A", data: "172.16.0.5", ttl: 5 })
      assert.strictEqual((packet.flags ?? 0) >> 10 & 1, 1, "authoritative")
    }
  })

  it("has no other kind of record: an empty answer, not a missing name", () => {
    const packet = ask("brave-otter.vm", "AAAA")
    assert.strictEqual(rcode(packet), 0)
    assert.strictEqual(packet.answers?.length, 0)
    assert.strictEqual(packet.authorities?.[0]?.type, "SOA")
  })

  it("says when a VM is not there, and refuses what is not its own", () => {
    assert.strictEqual(rcode(ask("nobody.vm")), 3)
    assert.strictEqual(rcode(ask("example.org")), 5)
    assert.strictEqual(rcode(ask("notvm")), 5)
    assert.strictEqual(rcode(ask("vm", "SOA")), 0)
  })

  it("refuses other operations than queries", () => {
    assert.strictEqual(rcode(ask("brave-otter.vm", "A", 5 << 11)), 4)
  })
})
