import { lookup } from "node:dns/promises"
import { BlockList } from "node:net"
import { LAN } from "@banger/capabilities/nat/rules.ts"
import type { Proxy } from "@banger/domain/session.ts"
import * as Effect from "effect/Effect"

const LOOPBACK = /^(localhost|127\..*|\[::1\])$/

const hostOf = (address: string | undefined) => URL.parse(address ?? "")?.hostname ?? ""

/** A proxy on this host's own addresses is none for a guest, which has others. */
export const forGuests = ({ http, https, noProxy }: Proxy): Proxy => {
  const reached = (address: string | undefined) => LOOPBACK.test(hostOf(address)) ? undefined : address
  return { http: reached(http), https: reached(https), noProxy }
}

const privateNetworks = new BlockList()
for (const [network, bits] of LAN.map((cidr) => cidr.split("/"))) privateNetworks.addSubnet(network ?? "", Number(bits))

/** A name that this host cannot look up is left to the guest, which has the same name servers. */
const addressOf = (host: string) =>
  Effect.tryPromise(() => lookup(host, { family: 4 })).pipe(
    Effect.timeout("5 seconds"),
    Effect.match({ onSuccess: ({ address }) => address, onFailure: () => undefined })
  )

/** What a build's log begins with where its script may not get through the proxy, a line for each. */
export const caveats = ({ http, https }: Proxy): Effect.Effect<ReadonlyArray<string>> =>
  Effect.forEach([...new Set([hostOf(http), hostOf(https)])].filter((host) => host !== ""), (host) =>
    LOOPBACK.test(host)
      ? Effect.succeed([`the proxy ${host} is this host's own, which a guest does not reach: the script has none`])
      : Effect.map(addressOf(host), (address) => address !== undefined && privateNetworks.check(address)
        ? [`the proxy ${host} is in a private network, which guests reach only with network.lan = true in /etc/banger/host.toml`]
        : [])
  ).pipe(Effect.map((lines) => lines.flat()))
