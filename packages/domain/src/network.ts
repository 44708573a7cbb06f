import * as Schema from "effect/Schema"
import { Slot } from "./ids.ts"

/** An IPv4 network of VMs in CIDR form, /16 to /29: `172.16.0.0/24`. */
export const Cidr = Schema.String.pipe(
  Schema.filter((text) => parse(text) !== undefined || "expected an IPv4 network such as 172.16.0.0/24, prefix 16 to 29"),
  Schema.brand("Cidr")
)
export type Cidr = typeof Cidr.Type

function parse(text: string): { readonly base: number; readonly prefix: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text)
  if (match === null) return undefined
  const [a, b, c, d, prefix] = match.slice(1).map(Number) as [number, number, number, number, number]
  if ([a, b, c, d].some((octet) => octet > 255) || prefix < 16 || prefix > 29) return undefined
  const base = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  return base % hosts(prefix) === 0 ? { base, prefix } : undefined
}

function hosts(prefix: number): number {
  return 2 ** (32 - prefix)
}

const dotted = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")

const parsed = (cidr: Cidr) => parse(cidr) as { readonly base: number; readonly prefix: number }

export const prefixLength = (cidr: Cidr): number => parsed(cidr).prefix

/** The bridge's own address, the guests' gateway and resolver: the network's first. */
export const gateway = (cidr: Cidr): string => dotted(parsed(cidr).base + 1)

/** The network's last address, of the link on which systemd-resolved asks for `.vm` names. */
export const dnsLinkAddress = (cidr: Cidr): string => dotted(parsed(cidr).base + hosts(parsed(cidr).prefix) - 2)

/** The guest's address. */
export const address = (cidr: Cidr, slot: Slot): string => dotted(parsed(cidr).base + slot)

/** Every slot of the network: 2 up to the last host but one, which stays free for the link that routes `.vm` queries. */
export const slots = (cidr: Cidr): ReadonlyArray<Slot> =>
  Array.from({ length: hosts(parsed(cidr).prefix) - 4 }, (_, i) => Slot.make(i + 2))

/** The slot of an address of the network, if it is one. */
export const slotOf = (cidr: Cidr, ip: string): Slot | undefined => {
  const octets = ip.split(".").map(Number)
  const value = octets.reduce((acc, octet) => acc * 256 + octet, 0)
  const slot = value - parsed(cidr).base
  return octets.length === 4 && slot >= 2 && slot <= hosts(parsed(cidr).prefix) - 3 ? Slot.make(slot) : undefined
}

/** Whether an IPv4 address is one of the network, its first and last among them. */
export const isIn = (cidr: Cidr, ip: string): boolean => {
  const { base, prefix } = parsed(cidr)
  const value = ip.split(".").map(Number).reduce((sum, octet) => sum * 256 + octet, 0)
  return value >= base && value < base + hosts(prefix)
}

/** At most 9 characters; the kernel's limit for interface names is 15. */
export const tapName = (slot: Slot): string => `bng${slot}`

/** Locally administered unicast, fixed per slot, so that anti-spoofing rules can be written once for all slots. */
export const mac = (slot: Slot): string =>
  `02:62:6e:67:${(slot >> 8).toString(16).padStart(2, "0")}:${(slot & 255).toString(16).padStart(2, "0")}`

/** First uid of the range that VMs run under; uid = gid. Above every range that distributions and user namespaces hand out. */
export const UID_BASE = 1_900_000_000

export const vmUid = (slot: Slot): number => UID_BASE + slot
