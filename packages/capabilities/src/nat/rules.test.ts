import { assert, describe, it } from "@effect/vitest"
import { Slot } from "@banger/domain/ids.ts"
import { Cidr, slots } from "@banger/domain/network.ts"
import * as FastCheck from "effect/FastCheck"
import { filterRules, natRules, natSlots, stands } from "./rules.ts"

const settings = { cidr: Cidr.make("172.16.0.0/24"), vmToVm: false, lan: false }
const lines = (rules: string) => rules.split("\n")

describe("nat rules", () => {
  it("the slots of a listing are those the rules were made of", () => {
    FastCheck.assert(FastCheck.property(FastCheck.subarray([...slots(settings.cidr)]), (some) => {
      assert.deepStrictEqual(natSlots(settings.cidr, filterRules(settings, some)), some)
    }))
  })

  it("a missing jump or chain is noticed", () => {
    const whole = "*filter\n:BANGER-INPUT - [0:0]\n:BANGER-FORWARD - [0:0]\n-A INPUT -j BANGER-INPUT\n-A FORWARD -j BANGER-FORWARD\nCOMMIT\n*nat\n:BANGER-PREROUTING - [0:0]\n:BANGER-POSTROUTING - [0:0]\n-A PREROUTING -j BANGER-PREROUTING\n-A POSTROUTING -j BANGER-POSTROUTING\nCOMMIT\n"
    assert.isTrue(stands(whole))
    for (const line of whole.split("\n").filter((each) => each.includes("BANGER"))) assert.isFalse(stands(whole.replace(`${line}\n`, "")), line)
  })

  it("what is refused comes before what is let through", () => {
    const forward = lines(filterRules(settings, [Slot.make(5)])).filter((line) => line.startsWith("-A BANGER-FORWARD"))
    const at = (part: string) => forward.findIndex((line) => line.includes(part))
    assert.isBelow(at("169.254.0.0/16 -j DROP"), at("-s 172.16.0.5/32"))
    assert.isBelow(at("10.0.0.0/8 -j DROP"), at("-s 172.16.0.5/32"))
    assert.isBelow(at("-i br-banger -o br-banger -j DROP"), at("-s 172.16.0.5/32"))
    assert.strictEqual(forward.at(-2), "-A BANGER-FORWARD -i br-banger -j DROP")
  })

  it("opens the LAN and other VMs only when told to", () => {
    const open = filterRules({ ...settings, vmToVm: true, lan: true }, [])
    assert.include(open, "-i br-banger -o br-banger -j ACCEPT")
    assert.notInclude(open, "192.168.0.0/16")
    assert.include(open, "169.254.0.0/16 -j DROP")
  })

  it("is one transaction a table, in chains of our own", () => {
    for (const rules of [filterRules(settings, [Slot.make(9)]), natRules(settings)]) {
      assert.match(rules, /^\*(filter|nat)\n/)
      assert.strictEqual(lines(rules).filter((line) => line === "COMMIT").length, 1)
      assert.isTrue(lines(rules).filter((line) => line.startsWith("-A")).every((line) => line.startsWith("-A BANGER-")))
    }
  })
})
