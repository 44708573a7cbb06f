import { assert, describe, it } from "@effect/vitest"
import { BRIDGE, DNS_LINK } from "@banger/capabilities/tap-pool/bridge.ts"
import { Slot } from "@banger/domain/ids.ts"
import { tapName } from "@banger/domain/network.ts"
import { NETWORK_MANAGER, NETWORKD, SETTINGS } from "./files.ts"

/** Whether a list of names, some with a `*` at their end, has this one. */
const has = (patterns: ReadonlyArray<string>, name: string) => patterns.some((pattern) => pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name)

describe("who manages the host's interfaces", () => {
  const links = [BRIDGE, DNS_LINK, tapName(Slot.make(2)), tapName(Slot.make(254))]

  it("NetworkManager leaves banger's alone, beside whatever the user has it leave alone", () => {
    const [, list] = /^\[keyfile\]\nunmanaged-devices\+=(.*)\n$/.exec(SETTINGS[NETWORK_MANAGER] ?? "") ?? []
    const patterns = (list ?? "").split(";").map((each) => each.replace(/^interface-name:/, ""))
    for (const link of links) assert.isTrue(has(patterns, link), link)
    assert.isFalse(has(patterns, "eth0"))
  })

  it("networkd does, too", () => {
    const [, list] = /^\[Match\]\nName=(.*)\n\n\[Link\]\nUnmanaged=yes\n$/.exec(SETTINGS[NETWORKD] ?? "") ?? []
    for (const link of links) assert.isTrue(has((list ?? "").split(" "), link), link)
  })
})
