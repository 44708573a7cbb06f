import type { HostAddress, LinkName } from "@banger/domain/tap-nat.ts"
import { closed } from "./rules.ts"

const TABLES = "ip banger-nat-"
const CHAINS = "BANGER-NAT-"

/** Each TAP has a table of nft and a chain of iptables to itself: what is made is found, made anew and removed by its name. */
export const tapTable = (tap: LinkName): string => `${TABLES}${tap}`
/** 26 characters at most; iptables takes 28. */
export const tapChain = (tap: LinkName): string => `${CHAINS}${tap}`

/** A script of nft that leaves no such table, whether there was one or not. */
export const tapRemoval = (tap: LinkName): string => `table ${tapTable(tap)}\ndelete table ${tapTable(tap)}\n`

/** For one machine behind a TAP that is not banger's: what the table of VMs (rules.ts) says of a VM with NAT, as one transaction. */
export const tapRules = (settings: { readonly lan: boolean }, tap: LinkName, address: HostAddress): string => `${tapRemoval(tap)}table ${tapTable(tap)} {
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname "${tap}" tcp flags syn tcp option maxseg size set rt mtu
    oifname "${tap}" tcp flags syn tcp option maxseg size set rt mtu
    oifname "${tap}" ct state established,related accept
    iifname "${tap}" ip daddr { ${closed(settings).join(", ")} } drop
    iifname "${tap}" ip saddr != ${address} drop
    oifname "${tap}" drop
  }
  chain postrouting {
    type nat hook postrouting priority 90; policy accept;
    ip saddr ${address} oifname != "${tap}" masquerade
  }
}
`

/** Input of `iptables-restore --noflush`: where FORWARD drops by its policy (Docker's), what the table let through is accepted. `jump`: there is none yet. */
export const tapAcceptance = (tap: LinkName, jump: boolean): string => `*filter
:${tapChain(tap)} - [0:0]
-A ${tapChain(tap)} -i ${tap} -j ACCEPT
-A ${tapChain(tap)} -o ${tap} -j ACCEPT
${jump ? `-I FORWARD 1 -j ${tapChain(tap)}\n` : ""}COMMIT
`

/** Jumps to the TAP's chain in the output of `iptables-save`, as many as there are. */
export const tapJumps = (tap: LinkName, listing: string): number =>
  listing.split("\n").filter((line) => line === `-A FORWARD -j ${tapChain(tap)}`).length

/** The TAPs of which there is a table in the output of `nft list tables`, or a chain in that of `iptables-save`. */
export const tapsWithRules = (tables: string, listing: string): ReadonlyArray<string> => {
  const named = (text: string, begins: string) => text.split("\n").flatMap((line) => line.startsWith(begins) ? line.slice(begins.length).split(" ")[0] || [] : [])
  return [...new Set([...named(tables, `table ${TABLES}`), ...named(listing, `:${CHAINS}`)])]
}
