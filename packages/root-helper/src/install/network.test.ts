import { assert, describe, it } from "@effect/vitest"
import { forwarder } from "./network.ts"

const nobody = { virtualLinks: ["lo", "tunl0", "br-banger", "bng2"], sysctls: [{ file: "/etc/sysctl.conf", text: "# net.ipv4.ip_forward=1\nnet.ipv4.ip_forward = 0\n" }], nftRules: "table ip filter {}", iptablesRules: "*filter\nCOMMIT\n" }

describe("who needs that the host forwards", () => {
  it("nobody", () => {
    assert.isUndefined(forwarder(nobody))
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
