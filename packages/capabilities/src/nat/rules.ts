import type { Slot } from "@banger/domain/ids.ts"
import { address, type Cidr, gateway } from "@banger/domain/network.ts"
import { GUEST_DNS_PORT } from "../dns/ports.ts"
import { BRIDGE } from "../tap-pool/bridge.ts"

export interface NatSettings {
  readonly cidr: Cidr
  readonly vmToVm: boolean
  readonly lan: boolean
  readonly hostUsers: boolean
  readonly owner: { readonly uid: number }
}

/** The nft table that decides what a guest reaches; its set `nat` holds the addresses that are let out. */
export const TABLE = "ip banger"

/** Private ranges: the user's LAN, other bridges, a tailnet. */
export const LAN = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]

/** Link-local: the cloud's metadata address among it. */
const LINK_LOCAL = "169.254.0.0/16"

/** Ranges that nobody behind NAT reaches. */
export const closed = ({ lan }: { readonly lan: boolean }): ReadonlyArray<string> => [LINK_LOCAL, ...(lan ? [] : LAN)]

/**
 * The whole table, as one transaction of `nft -f`, for the slots that have NAT. Its base chains are called before those
 * of iptables, firewalld and ufw, whose priority is 0 or more, so nothing that another program puts first into its own
 * chains (Docker and Tailscale do) lets a guest have what is dropped here. What is accepted here still has to pass theirs.
 */
export const table = ({ cidr, hostUsers, lan, owner, vmToVm }: NatSettings, nat: ReadonlyArray<Slot>): string => `table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
  set nat {
    type ipv4_addr
${nat.length === 0 ? "" : `    elements = { ${nat.map((slot) => address(cidr, slot)).join(", ")} }\n`}  }
  chain forward {
    type filter hook forward priority -10; policy accept;
    # Where an uplink takes less than 1500 bytes, and what says so is lost on the way, neither end sends more than fits.
    iifname "${BRIDGE}" tcp flags syn tcp option maxseg size set rt mtu
    oifname "${BRIDGE}" tcp flags syn tcp option maxseg size set rt mtu
    oifname "${BRIDGE}" ct state established,related accept
    # With br_netfilter loaded (Docker loads it) frames between two guests pass here too.
    iifname "${BRIDGE}" oifname "${BRIDGE}" ${vmToVm ? "accept" : "drop"}
    iifname "${BRIDGE}" ip daddr { ${closed({ lan }).join(", ")} } drop
    iifname "${BRIDGE}" ip saddr != @nat drop
    oifname "${BRIDGE}" drop
  }
  chain input {
    type filter hook input priority -10; policy accept;
    iifname "${BRIDGE}" jump guest
  }
  chain guest {
    ct state established,related accept
    ip daddr ${gateway(cidr)} udp dport ${GUEST_DNS_PORT} accept
    ip daddr ${gateway(cidr)} tcp dport ${GUEST_DNS_PORT} accept
    icmp type echo-request accept
    drop
  }
  chain output {
    type filter hook output priority -10; policy accept;
    # The kernel's own packets (resets, ICMP errors) are of no socket and match no uid.${hostUsers ? "" : `
    oifname "${BRIDGE}" meta skuid != { 0, ${owner.uid} } drop`}
  }
  chain prerouting {
    type nat hook prerouting priority -110; policy accept;
    iifname "${BRIDGE}" ip daddr ${gateway(cidr)} udp dport 53 redirect to :${GUEST_DNS_PORT}
    iifname "${BRIDGE}" ip daddr ${gateway(cidr)} tcp dport 53 redirect to :${GUEST_DNS_PORT}
  }
  chain postrouting {
    type nat hook postrouting priority 90; policy accept;
    ip saddr ${cidr} oifname != "${BRIDGE}" masquerade
  }
}
`

/** Lets the slot's address out. Nothing changes where it is already in the set. */
export const addition = (cidr: Cidr, slot: Slot): string => `add element ${TABLE} nat { ${address(cidr, slot)} }\n`

/** Added first, since nft refuses to delete what is not there. */
export const removal = (cidr: Cidr, slot: Slot): string => `${addition(cidr, slot)}delete element ${TABLE} nat { ${address(cidr, slot)} }\n`

/** Addresses in the output of `nft list set`. */
export const addresses = (listing: string): ReadonlyArray<string> => listing.match(/\d+\.\d+\.\d+\.\d+/g) ?? []

/**
 * Where a packet that the table let through would still meet a policy of iptables that drops: Docker sets one for
 * FORWARD, ufw for INPUT. One jump each, to a chain of our own.
 */
export const JUMPS = [{ from: "INPUT", to: "BANGER-INPUT" }, { from: "FORWARD", to: "BANGER-FORWARD" }] as const

/** Input of `iptables-restore --noflush`. Naming a chain with `:` empties it, so text and result agree whatever was there. */
export const acceptance = `*filter
:BANGER-INPUT - [0:0]
:BANGER-FORWARD - [0:0]
-A BANGER-INPUT -i ${BRIDGE} -j ACCEPT
-A BANGER-FORWARD -i ${BRIDGE} -j ACCEPT
-A BANGER-FORWARD -o ${BRIDGE} -j ACCEPT
COMMIT
`

/** Whether every chain and every jump is in the output of `iptables-save`. */
export const accepted = (listing: string): boolean =>
  JUMPS.every(({ from, to }) => listing.includes(`\n:${to} `) && listing.includes(`\n-A ${from} -j ${to}\n`))
