import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { HostAddress, LinkName } from "./tap-nat.ts"

describe("what rules for a TAP are made of", () => {
  it("a link's name is one that nft, iptables and a shell take as it is", () => {
    for (const name of ["tap0", "fc-tap.12", "A_1", "a".repeat(15)]) assert.isTrue(Schema.is(LinkName)(name), name)
    for (const name of ["", "-A", "tap+", "tap*", "a b", "a/b", "..", "tap\"", "tap\n", "a".repeat(16), "täp"]) assert.isFalse(Schema.is(LinkName)(name), name)
  })

  it("an address is one machine's, written as everybody writes it", () => {
    for (const address of ["172.30.0.2", "8.8.8.8", "223.255.255.254"]) assert.isTrue(Schema.is(HostAddress)(address), address)
    for (const address of ["", "172.30.0", "172.30.0.2/30", "172.30.0.256", "172.030.0.2", "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "1.2.3.4 drop"]) assert.isFalse(Schema.is(HostAddress)(address), address)
  })
})
