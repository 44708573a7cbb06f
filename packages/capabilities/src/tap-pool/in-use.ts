import { Cidr } from "@banger/domain/network.ts"
import * as Schema from "effect/Schema"
import { BRIDGE, DNS_LINK } from "./bridge.ts"

/** What we read of `ip -j address`. */
const Addresses = Schema.parseJson(Schema.Array(Schema.Struct({
  ifname: Schema.String,
  addr_info: Schema.optionalWith(Schema.Array(Schema.Struct({ family: Schema.optional(Schema.String), local: Schema.optional(Schema.String), prefixlen: Schema.optional(Schema.Int) })), { default: () => [] })
})))

/** What we read of `ip -j route show table all`. */
const Routes = Schema.parseJson(Schema.Array(Schema.Struct({
  type: Schema.optional(Schema.String),
  dst: Schema.String,
  dev: Schema.optional(Schema.String),
  nexthops: Schema.optional(Schema.Array(Schema.Struct({ dev: Schema.optional(Schema.String) })))
})))

export const addresses = Schema.decodeUnknownSync(Addresses)
export const routes = Schema.decodeUnknownSync(Routes)

/**
 * A route to a range as wide as this stands for the rest of the world, not for a network that the host is in: VPNs
 * divide the default route into halves or quarters.
 */
const WORLD = 7

const range = (text: string): { readonly first: number; readonly last: number; readonly prefix: number } | undefined => {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text)
  if (match === null) return undefined
  const prefix = Number(match[5] ?? 32)
  const size = 2 ** (32 - prefix)
  const address = match.slice(1, 5).reduce((sum, octet) => sum * 256 + Number(octet), 0)
  const first = address - address % size
  return { first, last: first + size - 1, prefix }
}

const overlap = (one: string, other: string): boolean => {
  const [a, b] = [range(one), range(other)]
  return a !== undefined && b !== undefined && a.first <= b.last && b.first <= a.last
}

/** banger's own links have addresses and routes of the network by right. */
const ours = (link: string | undefined) => link === BRIDGE || link === DNS_LINK || /^bng\d+$/.test(link ?? "")

/** Routes that send packets nowhere of their own: the next table is asked. */
const PASSING = ["throw", "broadcast", "anycast", "multicast"]

/** Who else has addresses in the network, or sends packets for it elsewhere: `lan0 has 172.16.0.50/24`. */
export const users = (cidr: Cidr, links: typeof Addresses.Type, table: typeof Routes.Type): ReadonlyArray<string> => {
  const addressed = links.filter(({ ifname }) => !ours(ifname)).flatMap(({ addr_info, ifname }) =>
    addr_info.flatMap(({ family, local, prefixlen }) =>
      family === "inet" && overlap(cidr, `${local}/${prefixlen}`) ? [{ link: ifname, says: `${ifname} has ${local}/${prefixlen}` }] : []))
  const routed = table.flatMap(({ dev, dst, nexthops, type = "unicast" }) => {
    const to = range(dst)
    const links = [dev, ...(nexthops ?? []).map((hop) => hop.dev)].filter((link) => link !== undefined)
    return to === undefined || to.prefix <= WORLD || PASSING.includes(type) || !overlap(cidr, dst) || links.some(ours)
      ? []
      : [{ link: links[0], says: links[0] === undefined ? `a route makes ${dst} ${type}` : `${dst} is routed to ${links.join(" and ")}` }]
  })
  // An interface's own network has a route of its own as well: that says nothing new.
  const known = new Set(addressed.map(({ link }) => link))
  return [...new Set([...addressed, ...routed.filter(({ link }) => link === undefined || !known.has(link))].map(({ says }) => says))]
}

/** A number of /proc/net/route: an address in the byte order of the machine, in hexadecimal. */
const dotted = (hex: string) => (hex.match(/../g) ?? []).toReversed().map((octet) => parseInt(octet, 16)).join(".")

/**
 * Whether /proc/net/route has the network on the bridge and nobody else's route into it. It costs no process, and is asked at
 * each start of a VM; it has the main table alone, so a yes is not the last word.
 */
export const undisturbed = (cidr: Cidr, procNetRoute: string): boolean => {
  const lines = procNetRoute.trim().split("\n").slice(1).map((line) => line.split("\t"))
  const table = lines.map(([dev = "", destination = "", , , , , , mask = ""]) => ({
    dev,
    dst: `${dotted(destination)}/${dotted(mask).split(".").reduce((bits, octet) => bits + Number(octet).toString(2).replaceAll("0", "").length, 0)}`
  }))
  return table.some(({ dev, dst }) => dev === BRIDGE && dst === cidr) && users(cidr, [], table).length === 0
}

/**
 * Networks to propose: private ones that routers, container programs and VPNs do not begin with; where a VPN has all private
 * ranges, the one that is set aside for benchmarks.
 */
const CANDIDATES = ["172.16.0.0/24", "10.213.77.0/24", "192.168.213.0/24", "172.30.213.0/24", "100.66.213.0/24", "198.18.213.0/24"].map((cidr) => Cidr.make(cidr))

export const free = (links: typeof Addresses.Type, table: typeof Routes.Type): Cidr | undefined =>
  CANDIDATES.find((cidr) => users(cidr, links, table).length === 0)

/** Why the network cannot be banger's, and what to do; undefined where nobody else has it. */
export const conflict = (cidr: Cidr, links: typeof Addresses.Type, table: typeof Routes.Type): { readonly problem: string; readonly fix: string } | undefined => {
  const by = users(cidr, links, table)
  if (by.length === 0) return undefined
  const other = free(links, table)
  return {
    problem: `${cidr}, the network of VMs, is in use: ${by.slice(0, 3).join(", ")}${by.length > 3 ? ` and ${by.length - 3} more` : ""}`,
    fix: `stop all VMs, write \`[network]\` and \`cidr = "${other ?? "A.B.C.0/24"}"\` into ~/.config/banger/config.toml${other === undefined ? " with a network that is free" : ""}, then sudo banger system apply`
  }
}
