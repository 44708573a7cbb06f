import { existsSync } from "node:fs"
import { Resolver } from "node:dns/promises"
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import { mend, notReady, ready, warning } from "@banger/domain/readiness.ts"
import type { Check } from "../capability.ts"
import { DNS_LINK } from "../tap-pool/bridge.ts"
import { Dns, type DnsStatus } from "./contract.ts"
import { PRIMARY, ZONE } from "./zone.ts"

/** Has systemd take the sockets, at the addresses that the configuration says. */
const TAKE = "sudo banger system restart"

export const judge = ({ bound, failed, held }: DnsStatus) =>
  failed.length > 0
    ? notReady(failed.join("; "), `${TAKE}; ss -lntup shows who holds a port that is taken`)
    : !held
    ? warning("systemd does not hold the name server's sockets: while the daemon is away guests have no names, and anybody may take the ports", mend(TAKE))
    : ready(bound.join(", "))

/** What the host's own resolver makes of the zone. */
export interface Routing {
  /** The zone's primary as it says; else why it says none. */
  readonly primary: string
  /** The resolvers that programs of this host ask. */
  readonly servers: ReadonlyArray<string>
  /** Whether systemd-resolved runs, and has the link that leads to banger. */
  readonly resolved: boolean
  readonly link: boolean
}

/** Where systemd-resolved listens for the host's programs. */
const STUBS = ["127.0.0.53", "127.0.0.54"]

export const routing = ({ link, primary, resolved, servers }: Routing) => {
  const problem = `programs of this host do not find NAME.vm (${servers.join(", ") || "no name server"}: ${primary})`
  return primary === PRIMARY
    ? ready(`NAME.vm by ${servers.join(", ")}`)
    : !resolved
    ? warning(problem, "have the host's resolver ask 127.0.0.1 port 42069 for the domain vm: docs/dns-routing.md says how")
    : !link
    ? warning(problem, mend("sudo systemctl restart banger-dns"))
    : servers.some((server) => STUBS.includes(server))
    ? warning(problem, mend("sudo systemctl restart systemd-resolved"))
    : warning(problem, "systemd-resolved finds them, and is not asked: sudo ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf has it asked; docs/dns-routing.md has other ways")
}

/** Whether somebody listens: the socket's file outlives systemd-resolved. */
const answers = (socket: string) =>
  Effect.async<boolean>((resume) => {
    const connection = Net.connect(socket)
    const end = (taken: boolean) => {
      connection.destroy()
      resume(Effect.succeed(taken))
    }
    connection.once("connect", () => end(true)).once("error", () => end(false))
  })

/** Asked as any program asks, of /etc/resolv.conf's name servers, once: a resolver that is away is one that finds nothing. */
const asked = Effect.suspend(() => {
  const resolver = new Resolver({ timeout: 3_000, tries: 1 })
  const primary = Effect.tryPromise({
    try: async () => (await resolver.resolveSoa(ZONE)).nsname,
    catch: (error) => error instanceof Error && "code" in error ? String(error.code) : String(error)
  })
  return Effect.all([Effect.merge(primary), answers("/run/systemd/resolve/io.systemd.Resolve")], { concurrency: 2 }).pipe(
    Effect.map(([primary, resolved]): Routing => ({ primary, resolved, servers: resolver.getServers(), link: existsSync(`/sys/class/net/${DNS_LINK}`) }))
  )
})

export const checks: ReadonlyArray<Check<Dns>> = [
  { name: "name server", run: Effect.map(Effect.flatMap(Dns, (server) => server.status), judge) },
  { name: "routing", run: Effect.map(asked, routing) }
]
