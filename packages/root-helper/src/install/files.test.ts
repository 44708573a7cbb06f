import { assert, describe, it } from "@effect/vitest"
import { BRIDGE, DNS_LINK } from "@banger/capabilities/tap-pool/bridge.ts"
import { Slot } from "@banger/domain/ids.ts"
import { Cidr, tapName } from "@banger/domain/network.ts"
import { readdirSync, readFileSync } from "node:fs"
import { NETWORK_MANAGER, NETWORKD, rendered, SETTINGS, VM_UNIT } from "./files.ts"

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

describe("a unit", () => {
  const units = new URL("../../../../packaging/units/", import.meta.url)
  const record = {
    version: "1", directory: "/usr/local/lib/banger/current", owner: { name: "ada", uid: 1000, gid: 1000, home: "/home/ada" },
    firecracker: "/usr/bin/firecracker", jailer: "/usr/bin/jailer", ipForward: "0", command: "banger"
  }
  const of = (unit: string, host: Parameters<typeof rendered>[2]) => rendered(readFileSync(new URL(unit, units), "utf8"), record, host)

  it("has the Firecracker that host.toml names with the jailer beside it, else the one that the install found", () => {
    assert.match(of(VM_UNIT, {}), /^ExecStart=\/usr\/bin\/jailer .* --exec-file \/usr\/bin\/firecracker /m)
    assert.match(of(VM_UNIT, { firecracker_bin: "/opt/fc/firecracker" }), /^ExecStart=\/opt\/fc\/jailer .* --exec-file \/opt\/fc\/firecracker /m)
  })

  it("has the network's addresses, and nothing of its template is left to be filled in", () => {
    assert.include(of("bangerd-dns-guests.socket", { network: { cidr: Cidr.make("10.9.0.0/24") } }), "10.9.0.1")
    for (const unit of readdirSync(units)) assert.notMatch(of(unit, {}), /@[A-Z_]+@/, unit)
  })
})
