import * as Schema from "effect/Schema"
import { about } from "./about.ts"

/** A network interface of the host's. The kernel takes 15 bytes, of which rules take these as they are. */
export const LinkName = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, { message: () => "expected the name of a link such as tap0" }),
  Schema.brand("LinkName")
)
export type LinkName = typeof LinkName.Type

/** An address that a machine may have: no loopback, no multicast, no prefix. */
export const HostAddress = Schema.String.pipe(
  Schema.filter((text) => {
    const octets = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text) ? text.split(".").map(Number) : []
    const [first = 0] = octets
    return octets.length === 4 && octets.every((octet) => octet <= 255) && first > 0 && first < 224 && first !== 127
      || "expected an IPv4 address of a machine such as 172.30.0.2"
  }),
  Schema.brand("HostAddress")
)
export type HostAddress = typeof HostAddress.Type

/** Rules of banger's for a TAP that is none of its own (`banger internal nat`), as they stand. */
export const TapNat = Schema.Struct({
  tap: LinkName.pipe(about("name of the host's link")),
  address: Schema.NullOr(HostAddress).pipe(about("IPv4, of the machine that is let out; null: there are no rules")),
  table: Schema.String.pipe(about("of nft")),
  chain: Schema.String.pipe(about("of iptables"))
})
export type TapNat = typeof TapNat.Type
