import type { Slot } from "@banger/domain/ids.ts"
import { address, type Cidr, gateway, mac, prefixLength, slots, tapName, vmUid } from "@banger/domain/network.ts"

/** The one bridge of all VMs. */
export const BRIDGE = "br-banger"

/** Routes `.vm` queries of systemd-resolved, with the last address of the network. */
export const DNS_LINK = "banger-dns"

/** The bridge's own MAC: fixed, so that it does not follow that of its lowest port (guests cache it). */
const BRIDGE_MAC = "02:62:6e:67:00:01"

/** `ip -batch` lines that make the bridge; the first one only where it does not exist. */
export const bridgeLines = (cidr: Cidr, exists: boolean): ReadonlyArray<string> => [
  // With the address given at birth udev leaves it alone; set later, it would race with udev's own persistent one.
  ...(exists ? [] : [`link add ${BRIDGE} address ${BRIDGE_MAC} type bridge`]),
  `link set ${BRIDGE} addrgenmode none`,
  `address replace ${gateway(cidr)}/${prefixLength(cidr)} dev ${BRIDGE}`,
  `link set ${BRIDGE} up`
]

/** `ip -batch` lines that take foreign addresses from the bridge, among them those of a network that was banger's before. */
export const renewLines = (foreign: ReadonlyArray<string>): ReadonlyArray<string> =>
  foreign.length === 0 ? [] : [
    ...foreign.map((each) => `address delete ${each} dev ${BRIDGE}`),
    // An address that goes leaves the neighbours of its network; those of TAPs that stand are made anew.
    `neighbour flush dev ${BRIDGE} nud permanent`
  ]

/**
 * `ip -batch` lines that make a slot's TAP, up and on the bridge. Isolated ports reach only the bridge itself, never
 * each other; with learning off a guest cannot take over another's MAC, so the forwarding entry is static.
 */
export const tapLines = (cidr: Cidr, slot: Slot, options: { readonly exists: boolean; readonly isolated: boolean }): ReadonlyArray<string> => [
  ...(options.exists ? [] : [`tuntap add dev ${tapName(slot)} mode tap user ${vmUid(slot)}`]),
  `link set ${tapName(slot)} addrgenmode none master ${BRIDGE}`,
  `link set ${tapName(slot)} type bridge_slave isolated ${options.isolated ? "on" : "off"} learning off`,
  `neighbour replace ${address(cidr, slot)} lladdr ${mac(slot)} dev ${BRIDGE} nud permanent`,
  `link set ${tapName(slot)} up`
]

/** `bridge -batch` line: frames for the slot's MAC go to its TAP and nowhere else. */
export const forwardingLine = (slot: Slot): string => `fdb replace ${mac(slot)} dev ${tapName(slot)} master static`

export const removeLines = (cidr: Cidr, slot: Slot): ReadonlyArray<string> => [
  `neighbour flush to ${address(cidr, slot)} dev ${BRIDGE} nud permanent`,
  `link delete ${tapName(slot)}`
]

/**
 * The nft table that stands before everything else a guest's frame meets: from a TAP only ARP and IPv4 with the MAC
 * and address of its slot. One set covers every slot of the network, so nothing changes per VM.
 */
export const antiSpoofing = (cidr: Cidr): string => `table bridge banger
delete table bridge banger
table bridge banger {
  set slots {
    type ifname . ether_addr . ipv4_addr
    elements = { ${slots(cidr).map((slot) => `"${tapName(slot)}" . ${mac(slot)} . ${address(cidr, slot)}`).join(", ")} }
  }
  chain prerouting {
    type filter hook prerouting priority -350; policy accept;
    iifname "bng*" jump guest
  }
  chain guest {
    ether type ip iifname . ether saddr . ip saddr @slots accept
    ether type arp iifname . ether saddr . arp saddr ip @slots iifname . arp saddr ether . arp saddr ip @slots accept
    drop
  }
}
`
