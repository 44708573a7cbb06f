import { assert, describe, it } from "@effect/vitest"
import { Cidr } from "@banger/domain/network.ts"
import { addresses, conflict, free, routes, undisturbed, users } from "./in-use.ts"

const cidr = Cidr.make("172.16.0.0/24")
const link = (ifname: string, local: string, prefixlen: number, family = "inet") => ({ ifname, addr_info: [{ family, local, prefixlen, scope: "global" }] })
const links = (...some: ReadonlyArray<ReturnType<typeof link>>) => addresses(JSON.stringify([{ ifindex: 1, ifname: "lo", addr_info: [{ family: "inet", local: "127.0.0.1", prefixlen: 8 }, { family: "inet6", local: "::1", prefixlen: 128 }] }, ...some]))
const table = (...some: ReadonlyArray<object>) => routes(JSON.stringify([{ dst: "default", gateway: "192.0.2.1", dev: "eth0", flags: [] }, { dst: "fe80::/64", dev: "eth0" }, { type: "local", dst: "127.0.0.0/8", dev: "lo", table: "local" }, ...some]))

describe("who uses the network", () => {
  it("nobody, on a host with other networks, with banger's own bridge, and with a default route in parts", () => {
    assert.deepStrictEqual(users(cidr, links(link("eth0", "192.168.1.7", 24), link("docker0", "172.17.0.1", 16), link("br-banger", "172.16.0.1", 24)), table(
      { dst: "172.17.0.0/16", dev: "docker0", flags: ["linkdown"] },
      { dst: "172.16.0.0/24", dev: "br-banger" },
      { type: "local", dst: "172.16.0.1", dev: "br-banger", table: "local" },
      { dst: "0.0.0.0/1", dev: "tun0" },
      { dst: "128.0.0.0/1", dev: "tun0" },
      { dst: "160.0.0.0/5", dev: "wg0", table: "51820" },
      { type: "throw", dst: "172.16.0.0/12", table: "52", flags: [] }
    )), [])
  })

  it("a LAN, once for its address and its routes", () => {
    assert.deepStrictEqual(users(cidr, links(link("lan0", "172.16.0.50", 24)), table(
      { dst: "172.16.0.0/24", dev: "lan0", prefsrc: "172.16.0.50" },
      { type: "local", dst: "172.16.0.50", dev: "lan0", table: "local" },
      { type: "broadcast", dst: "172.16.0.255", dev: "lan0", table: "local" }
    )), ["lan0 has 172.16.0.50/24"])
  })

  it("a wider network, a part of it, a single address, the other end of a tunnel", () => {
    const used = (...some: ReadonlyArray<object>) => users(cidr, links(), table(...some))
    assert.deepStrictEqual(used({ dst: "172.16.0.0/12", dev: "tun0", table: "100" }), ["172.16.0.0/12 is routed to tun0"])
    assert.deepStrictEqual(used({ dst: "172.16.0.128/25", dev: "virbr1" }), ["172.16.0.128/25 is routed to virbr1"])
    assert.deepStrictEqual(used({ dst: "172.16.0.9", dev: "tailscale0", table: "52" }), ["172.16.0.9 is routed to tailscale0"])
    assert.deepStrictEqual(used({ dst: "172.16.0.0/16", nexthops: [{ dev: "eth0" }, { dev: "eth1" }] }), ["172.16.0.0/16 is routed to eth0 and eth1"])
    assert.deepStrictEqual(used({ type: "blackhole", dst: "172.16.0.0/12", flags: [] }), ["a route makes 172.16.0.0/12 blackhole"])
    assert.deepStrictEqual(users(cidr, links(link("docker0", "172.16.200.1", 16)), table()), ["docker0 has 172.16.200.1/16"])
  })

  it("says who, and proposes a network that nobody uses, whatever a VPN has taken", () => {
    const lan = [links(link("lan0", "172.16.0.50", 24)), table()] as const
    assert.match(conflict(cidr, ...lan)?.problem ?? "", /172\.16\.0\.0\/24.* is in use: lan0 has 172\.16\.0\.50\/24$/)
    assert.match(conflict(cidr, ...lan)?.fix ?? "", /cidr = "10\.213\.77\.0\/24".*config\.toml.*system apply$/)
    assert.isUndefined(conflict(Cidr.make("10.213.77.0/24"), ...lan))
    const vpn = table({ dst: "10.0.0.0/8", dev: "tun0" }, { dst: "172.16.0.0/12", dev: "tun0" }, { dst: "192.168.0.0/16", dev: "tun0" })
    assert.strictEqual(free(links(), vpn), "100.66.213.0/24")
    assert.strictEqual(free(links(), table(...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"].map((dst) => ({ dst, dev: "tun0" })))), undefined)
  })

  it("the kernel's own table tells whether the bridge has the network to itself", () => {
    const heads = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    const row = (dev: string, destination: string, mask: string) => `${dev}\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0\n`
    const standard = heads + row("eth0", "00000000", "00000000") + row("eth0", "0001A8C0", "00FFFFFF")
    const bridge = row("br-banger", "000010AC", "00FFFFFF")
    assert.isTrue(undisturbed(cidr, standard + bridge))
    assert.isFalse(undisturbed(cidr, standard), "no bridge")
    assert.isFalse(undisturbed(Cidr.make("172.16.4.0/24"), standard + bridge), "the bridge of another network")
    assert.isFalse(undisturbed(cidr, standard + bridge + row("lan0", "000010AC", "00FFFFFF")), "the same network")
    assert.isFalse(undisturbed(cidr, standard + bridge + row("tun0", "000010AC", "0000F0FF")), "a wider one")
  })
})
