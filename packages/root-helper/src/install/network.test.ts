import { assert, describe, it } from "@effect/vitest"
import { Cidr } from "@banger/domain/network.ts"
import * as Effect from "effect/Effect"
import { withCommands } from "../testing/commands.ts"
import { forwarder } from "./network.ts"

const nobody = { virtualLinks: ["lo", "tunl0", "br-banger", "bng2"], sysctls: [{ file: "/etc/sysctl.conf", text: "# net.ipv4.ip_forward=1\nnet.ipv4.ip_forward = 0\n" }], nftRules: "table ip filter {}", iptablesRules: "*filter\nCOMMIT\n" }

describe("who needs that the host forwards", () => {
  it("nobody", () => {
    assert.isUndefined(forwarder(nobody))
    assert.isUndefined(forwarder({ ...nobody, nftRules: "table inet firewalld { chain filter_FORWARD { ct status dnat accept } }" }))
  })

  for (const [what, found, said] of [
    ["Docker, without a container", { virtualLinks: ["docker0"] }, /docker0/],
    ["libvirt", { virtualLinks: ["lo", "virbr0"] }, /virbr0/],
    ["a VPN's server", { virtualLinks: ["wg0"] }, /wg0/],
    ["a file of the administrator's", { sysctls: [{ file: "/etc/sysctl.d/router.conf", text: "net.ipv4.ip_forward=1\n" }] }, /router\.conf/],
    ["one for all interfaces", { sysctls: [{ file: "/etc/sysctl.d/k8s.conf", text: "x = 1\n-net/ipv4/conf/all/forwarding = 1\n" }] }, /k8s\.conf/],
    ["a router by nftables", { nftRules: "table ip nat { chain post { oifname \"eth0\" masquerade } }" }, /translates/],
    ["a router by iptables", { iptablesRules: "-A POSTROUTING -o eth0 -j MASQUERADE" }, /translates/]
  ] as const) {
    it(what, () => assert.match(forwarder({ ...nobody, ...found }) ?? "", said))
  }
})

describe("an install where the host is in a network already", () => {
  /** The answers of `ip` on a host with one link: its address, and the route that comes with it. */
  const said = (address: string) => (argv: ReadonlyArray<string>) =>
    Effect.succeed(JSON.stringify(argv.includes("address")
      ? [{ ifname: "lan0", addr_info: [{ family: "inet", local: address, prefixlen: 24 }] }]
      : [{ dst: address.replace(/\d+$/, "0/24"), dev: "lan0" }]))
  const asked = (address: string) =>
    Effect.flatMap(Effect.promise(() => withCommands(() => said(address), () => null, () => import("./network.ts"))), ({ refuseCidrInUse }) => Effect.either(refuseCidrInUse(Cidr.make("172.16.0.0/24"), "install again")))

  it.effect("is refused, with a free one", () => Effect.gen(function*() {
    const refused = yield* asked("172.16.0.50")
    assert.strictEqual(refused._tag, "Left")
    assert.match(JSON.stringify(refused), /lan0 has 172\.16\.0\.50\/24.*cidr = \\"10\.[0-9.]+\/24\\".*, then install again/)
  }))

  it.effect("goes on in another one", () => Effect.gen(function*() {
    assert.strictEqual((yield* asked("192.0.2.50"))._tag, "Right")
  }))
})

describe("who manages the host's links", () => {
  it.effect("is asked to read its files anew; one that does not answer fails no install", () => Effect.gen(function*() {
    const asked: Array<string> = []
    const { reloadNetworkManagers } = yield* Effect.promise(() => withCommands(({ CommandFailed }) => (argv) => {
      asked.push(argv.join(" "))
      return argv[0] === "networkctl" ? new CommandFailed({ argv, exitCode: 1, stderr: "Failed to reload network settings: Connection timed out" }) : Effect.succeed("")
    }, () => null, () => import("./network.ts")))
    yield* reloadNetworkManagers
    assert.deepStrictEqual(asked.filter((line) => line.includes("reload")), ["networkctl reload", "systemctl reload NetworkManager.service"])
  }))
})
