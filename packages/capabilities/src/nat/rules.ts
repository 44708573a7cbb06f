import type { Slot } from "@banger/domain/ids.ts"
import { address, type Cidr, gateway, slotOf } from "@banger/domain/network.ts"
import { GUEST_DNS_PORT } from "../dns/ports.ts"
import { BRIDGE } from "../tap-pool/bridge.ts"

export interface NatSettings {
  readonly cidr: Cidr
  readonly vmToVm: boolean
  readonly lan: boolean
}

/** Own chains, each entered by one jump that stands first in the built-in chain: ahead of Docker's and ufw's verdicts. */
export const JUMPS = [
  { table: "filter", from: "INPUT", to: "BANGER-INPUT" },
  { table: "filter", from: "FORWARD", to: "BANGER-FORWARD" },
  { table: "nat", from: "PREROUTING", to: "BANGER-PREROUTING" },
  { table: "nat", from: "POSTROUTING", to: "BANGER-POSTROUTING" }
] as const

/** Private and link-local ranges: the user's LAN and the cloud metadata address. */
const LAN = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
const LINK_LOCAL = "169.254.0.0/16"

/** The whole content of the filter chains for the slots that have NAT, as input of `iptables-restore --noflush`. */
export const filterRules = (settings: NatSettings, nat: ReadonlyArray<Slot>): string => {
  const forward = [
    `-o ${BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    // With br_netfilter loaded (Docker loads it) frames between two guests pass here too.
    `-i ${BRIDGE} -o ${BRIDGE} -j ${settings.vmToVm ? "ACCEPT" : "DROP"}`,
    `-i ${BRIDGE} -d ${LINK_LOCAL} -j DROP`,
    ...(settings.lan ? [] : LAN.map((range) => `-i ${BRIDGE} -d ${range} -j DROP`)),
    ...[...nat].toSorted((a, b) => a - b).map((slot) => `-s ${address(settings.cidr, slot)}/32 -i ${BRIDGE} -j ACCEPT`),
    `-i ${BRIDGE} -j DROP`,
    `-o ${BRIDGE} -j DROP`
  ]
  const input = [
    `-i ${BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
    ...["udp", "tcp"].map((protocol) =>
      `-i ${BRIDGE} -d ${gateway(settings.cidr)}/32 -p ${protocol} --dport ${GUEST_DNS_PORT} -j ACCEPT`
    ),
    `-i ${BRIDGE} -p icmp --icmp-type echo-request -j ACCEPT`,
    `-i ${BRIDGE} -j DROP`
  ]
  return restore("filter", { "BANGER-INPUT": input, "BANGER-FORWARD": forward })
}

/** The nat chains: the same for any set of VMs. */
export const natRules = ({ cidr }: NatSettings): string =>
  restore("nat", {
    "BANGER-PREROUTING": ["udp", "tcp"].map((protocol) =>
      `-i ${BRIDGE} -d ${gateway(cidr)}/32 -p ${protocol} --dport 53 -j REDIRECT --to-ports ${GUEST_DNS_PORT}`
    ),
    "BANGER-POSTROUTING": [`-s ${cidr} ! -o ${BRIDGE} -j MASQUERADE`]
  })

/** Naming a chain with `:` empties it, so text and result agree whatever was there. */
const restore = (table: string, chains: Record<string, ReadonlyArray<string>>): string =>
  [
    `*${table}`,
    ...Object.keys(chains).map((chain) => `:${chain} - [0:0]`),
    ...Object.entries(chains).flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`)),
    "COMMIT",
    ""
  ].join("\n")

/** Whether every chain and every jump is in the output of `iptables-save`. */
export const stands = (listing: string): boolean =>
  JUMPS.every(({ from, to }) => listing.includes(`\n:${to} `) && listing.includes(`\n-A ${from} -j ${to}\n`))

/** The slots that the rules in the output of `iptables-save` let out. */
export const natSlots = (cidr: Cidr, listing: string): ReadonlyArray<Slot> =>
  listing.split("\n").flatMap((line) => {
    const match = /^-A BANGER-FORWARD -s (\S+)\/32 -i br-banger -j ACCEPT$/.exec(line)
    const slot = match?.[1] === undefined ? undefined : slotOf(cidr, match[1])
    return slot === undefined ? [] : [slot]
  })
