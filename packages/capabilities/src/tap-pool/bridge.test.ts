import { assert, describe, it } from "@effect/vitest"
import { Slot } from "@banger/domain/ids.ts"
import { Cidr, slots } from "@banger/domain/network.ts"
import { antiSpoofing, bridgeLines, forwardingLine, removeLines, tapLines } from "./bridge.ts"

const cidr = Cidr.make("172.16.0.0/29")

describe("bridge", () => {
  it("every slot of the network is in the anti-spoofing set, with its own MAC and address", () => {
    const table = antiSpoofing(cidr)
    for (const slot of slots(cidr)) {
      assert.include(table, `"bng${slot}" . 02:62:6e:67:00:0${slot} . 172.16.0.${slot}`)
    }
    assert.notInclude(table, "172.16.0.1,")
  })

  it("replaces the table as a whole", () => {
    assert.match(antiSpoofing(cidr), /^table bridge banger\ndelete table bridge banger\ntable bridge banger \{/)
  })

  it("a TAP that exists is not made again, only finished", () => {
    const slot = Slot.make(5)
    assert.deepStrictEqual(tapLines(cidr, slot, { exists: true, isolated: true }), tapLines(cidr, slot, { exists: false, isolated: true }).slice(1))
    assert.strictEqual(tapLines(cidr, slot, { exists: false, isolated: true })[0], "tuntap add dev bng5 mode tap user 1900000005")
    assert.strictEqual(forwardingLine(slot), "fdb replace 02:62:6e:67:00:05 dev bng5 master static")
    assert.strictEqual(removeLines(cidr, slot).at(-1), "link delete bng5")
    assert.strictEqual(bridgeLines(cidr, true).length, bridgeLines(cidr, false).length - 1)
  })
})
