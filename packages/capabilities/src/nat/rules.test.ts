import { assert, describe, it } from "@effect/vitest"
import { Slot } from "@banger/domain/ids.ts"
import { address, Cidr, slots } from "@banger/domain/network.ts"
import * as FastCheck from "effect/FastCheck"
import { acceptance, accepted, addresses, table } from "./rules.ts"

const settings = { cidr: Cidr.make("172.16.0.0/24"), vmToVm: false, lan: false, hostUsers: false, owner: { uid: 1000 } }
const chain = (rules: string, name: string) => (rules.split(`  chain ${name} {\n`)[1]?.split("\n  }")[0] ?? "").split("\n").map((line) => line.trim())

describe("nat rules", () => {
  it("the addresses of a set are those of the slots the table was made of", () => {
    FastCheck.assert(FastCheck.property(FastCheck.subarray([...slots(settings.cidr)]), (some) => {
      const set = table(settings, some).split("set nat {")[1]?.split("}\n  chain")[0] ?? ""
      assert.deepStrictEqual(addresses(set), some.map((slot) => address(settings.cidr, slot)))
    }))
  })

  it("what is refused is refused to every guest, with NAT or without, before iptables is asked", () => {
    const forward = chain(table(settings, [Slot.make(5)]), "forward")
    const at = (part: string) => forward.findIndex((line) => line.includes(part))
    assert.include(forward[0], "priority -10")
    assert.isAbove(at("169.254.0.0/16, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 } drop"), 0)
    assert.isAbove(at(`iifname "br-banger" oifname "br-banger" drop`), 0)
    assert.isAbove(at("ip saddr != @nat drop"), 0)
    assert.deepStrictEqual(forward.filter((line) => line.endsWith("accept")), [`oifname "br-banger" ct state established,related accept`])
    assert.strictEqual(forward.at(-1), `oifname "br-banger" drop`)
    assert.strictEqual(chain(table(settings, []), "guest").at(-1), "drop")
  })

  it("opens the LAN and other VMs only when told to, the metadata address never", () => {
    const forward = chain(table({ ...settings, vmToVm: true, lan: true }, []), "forward").join("\n")
    assert.include(forward, `iifname "br-banger" oifname "br-banger" accept`)
    assert.include(forward, "ip daddr { 169.254.0.0/16 } drop")
  })

  it("guests are reached by root and the owner, and by other users of the host only when told to", () => {
    const output = (hostUsers: boolean) => chain(table({ ...settings, hostUsers }, []), "output")
    assert.deepStrictEqual(output(false).filter((line) => line.includes("oifname")), [`oifname "br-banger" meta skuid != { 0, 1000 } drop`])
    assert.include(output(false)[0], "hook output priority -10; policy accept")
    assert.deepStrictEqual(output(true).filter((line) => line.includes("oifname")), [])
  })

  it("segments fit the smallest link of the way, in both directions, before anything is accepted", () => {
    const forward = chain(table(settings, []), "forward")
    const clamps = forward.flatMap((line, at) => line.includes("maxseg size set rt mtu") ? [at] : [])
    assert.deepStrictEqual(clamps.map((at) => forward[at]?.split(" ").slice(0, 2)), [["iifname", `"br-banger"`], ["oifname", `"br-banger"`]])
    assert.isAbove(forward.findIndex((line) => line.endsWith("accept") || line.endsWith("drop")), Math.max(...clamps))
  })

  it("a missing jump or chain of iptables is noticed", () => {
    const whole = `*filter\n:BANGER-INPUT - [0:0]\n:BANGER-FORWARD - [0:0]\n-A INPUT -j BANGER-INPUT\n-A FORWARD -j BANGER-FORWARD\nCOMMIT\n`
    assert.isTrue(accepted(whole))
    for (const line of whole.split("\n").filter((each) => each.includes("BANGER"))) assert.isFalse(accepted(whole.replace(`${line}\n`, "")), line)
  })

  it("touches no chain of iptables but its own", () => {
    assert.isTrue(acceptance.split("\n").filter((line) => line.startsWith("-A")).every((line) => line.startsWith("-A BANGER-")))
  })
})
