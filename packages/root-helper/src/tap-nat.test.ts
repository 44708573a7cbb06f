import { assert, describe, it } from "@effect/vitest"
import { Cidr } from "@banger/domain/network.ts"
import { HostAddress, LinkName } from "@banger/domain/tap-nat.ts"
import * as Effect from "effect/Effect"
import { type Surroundings, unfitting } from "./tap-nat.ts"
import { withCommands } from "./testing/commands.ts"

const tap = LinkName.make("tap0")
const address = HostAddress.make("172.30.0.2")
const fine: Surroundings = { cidr: Cidr.make("172.16.0.0/24"), kind: "tap", master: undefined, own: ["127.0.0.1", "172.30.0.1"], forwarding: true }
const refusal = (change: { readonly tap?: string; readonly address?: string; readonly around?: Partial<Surroundings> }) =>
  unfitting(LinkName.make(change.tap ?? tap), HostAddress.make(change.address ?? address), { ...fine, ...change.around })?.message

describe("rules for a TAP of somebody else's", () => {
  it("are refused by name for what is banger's, and for what they would not work for", () => {
    assert.isUndefined(refusal({}))
    for (const own of ["br-banger", "banger-dns", "bng7"]) assert.strictEqual(refusal({ tap: own }), `${own} is banger's own`)
    for (const of of ["172.16.0.0", "172.16.0.1", "172.16.0.77", "172.16.0.255"]) assert.strictEqual(refusal({ address: of }), `${of} is of 172.16.0.0/24, the network of banger's VMs`)
    assert.isUndefined(refusal({ address: "172.16.1.0" }))
    assert.strictEqual(refusal({ around: { kind: "missing" } }), "there is no link tap0")
    // Of an uplink they would drop whatever is new.
    assert.strictEqual(refusal({ tap: "eth0", around: { kind: "another link" } }), "eth0 is no TAP")
    assert.match(refusal({ around: { master: "br0" } }) ?? "", /tap0 is a port of br0/)
    assert.strictEqual(refusal({ address: "172.30.0.1" }), "172.30.0.1 is the host's own")
    assert.match(refusal({ around: { forwarding: false } }) ?? "", /does not forward/)
  })

  it("are taken away in whatever half they stand, and nothing else is", async () => {
    const taken = async (listing: string) => {
      const ran: Array<string> = []
      const { down } = await withCommands(
        () => (argv, options) => Effect.sync(() => {
          if (argv[0] === "iptables-save") return listing
          ran.push([...argv.filter((word) => !["-w", "10", "-f", "-"].includes(word)), ...(options?.stdin === undefined ? [] : [options.stdin.trim()])].join(" "))
          return ""
        }),
        () => null,
        () => import("./tap-nat.ts")
      )
      assert.deepStrictEqual(await Effect.runPromise(down(tap)), { tap, address: null, table: "ip banger-nat-tap0", chain: "BANGER-NAT-tap0" })
      return ran
    }
    const table = "nft table ip banger-nat-tap0\ndelete table ip banger-nat-tap0"
    const chain = ["iptables -F BANGER-NAT-tap0", "iptables -X BANGER-NAT-tap0"]
    const jump = "iptables -D FORWARD -j BANGER-NAT-tap0"
    assert.deepStrictEqual(await taken("*filter\n:BANGER-NAT-tap1 - [0:0]\n-A FORWARD -j BANGER-NAT-tap1\nCOMMIT\n"), [table])
    assert.deepStrictEqual(await taken("*filter\n:BANGER-NAT-tap0 - [0:0]\nCOMMIT\n"), [...chain, table])
    assert.deepStrictEqual(await taken("*filter\n:BANGER-NAT-tap0 - [0:0]\n-A FORWARD -j BANGER-NAT-tap0\n-A FORWARD -j BANGER-NAT-tap0\nCOMMIT\n"), [jump, jump, ...chain, table])
  })
})
