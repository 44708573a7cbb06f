import { assert, describe, it } from "@effect/vitest"
import { HostAddress, LinkName } from "@banger/domain/tap-nat.ts"
import { tapAcceptance, tapChain, tapJumps, tapRules, tapsWithRules, tapTable } from "./tap-rules.ts"

const tap = LinkName.make("tap0")
const address = HostAddress.make("172.30.0.2")
const forward = (rules: string) => (rules.split("  chain forward {\n")[1]?.split("\n  }")[0] ?? "").split("\n").map((line) => line.trim())

describe("rules for a TAP of somebody else's", () => {
  it("let its machine out by that address alone, to no private range, and let only answers in, before iptables is asked", () => {
    const rules = forward(tapRules({ lan: false }, tap, address))
    assert.include(rules[0], "hook forward priority -10")
    assert.deepStrictEqual(rules.filter((line) => line.endsWith("accept") || line.endsWith("drop")), [
      `oifname "tap0" ct state established,related accept`,
      `iifname "tap0" ip daddr { 169.254.0.0/16, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 } drop`,
      `iifname "tap0" ip saddr != 172.30.0.2 drop`,
      `oifname "tap0" drop`
    ])
    assert.include(tapRules({ lan: true }, tap, address), "ip daddr { 169.254.0.0/16 } drop")
  })

  it("are a table to themselves, which the same script makes anew: twice is once", () => {
    const rules = tapRules({ lan: false }, tap, address)
    assert.isTrue(rules.startsWith("table ip banger-nat-tap0\ndelete table ip banger-nat-tap0\ntable ip banger-nat-tap0 {\n"))
    assert.notInclude(rules, "br-banger")
  })

  it("have a chain that iptables takes, and one jump to it", () => {
    const longest = LinkName.make("a".repeat(15))
    assert.isAtMost(tapChain(longest).length, 28)
    assert.include(tapAcceptance(tap, true), "-I FORWARD 1 -j BANGER-NAT-tap0\nCOMMIT\n")
    assert.notInclude(tapAcceptance(tap, false), "FORWARD")
    const listing = "*filter\n:FORWARD ACCEPT [0:0]\n:BANGER-NAT-tap0 - [0:0]\n:BANGER-NAT-tap01 - [0:0]\n-A FORWARD -j BANGER-NAT-tap0\n-A FORWARD -j BANGER-NAT-tap01\n-A FORWARD -j BANGER-NAT-tap0\nCOMMIT\n"
    assert.deepStrictEqual([tap, LinkName.make("tap01"), LinkName.make("tap")].map((name) => tapJumps(name, listing)), [2, 1, 0])
  })

  it("are found by their names, of whichever half is left", () => {
    const tables = `table ip filter\ntable ip banger\ntable bridge banger\ntable ${tapTable(tap)}\n`
    const listing = "*filter\n:INPUT ACCEPT [0:0]\n:BANGER-INPUT - [0:0]\n:BANGER-NAT-tap0 - [0:0]\n:BANGER-NAT-b.1 - [0:0]\nCOMMIT\n"
    assert.deepStrictEqual(tapsWithRules(tables, listing), ["tap0", "b.1"])
    assert.deepStrictEqual(tapsWithRules("table ip banger\n", ""), [])
  })
})
