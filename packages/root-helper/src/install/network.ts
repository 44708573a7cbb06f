import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs"
import * as path from "node:path"
import { run } from "@banger/capabilities/exec.ts"
import { BRIDGE, DNS_LINK } from "@banger/capabilities/tap-pool/bridge.ts"
import { addresses, conflict, routes } from "@banger/capabilities/tap-pool/in-use.ts"
import type { Cidr } from "@banger/domain/network.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { SYSCTL } from "./files.ts"
import { Refused } from "./refused.ts"

/** A network that another interface or a route of the host's uses would be cut off from it. `again` is what is to be run once another one is written down. */
export const refuseCidrInUse = (cidr: Cidr, again: string) =>
  Effect.gen(function*() {
    const clash = yield* Effect.zipWith(run(["ip", "-j", "address"]), run(["ip", "-j", "route", "show", "table", "all"]), (links, table) =>
      conflict(cidr, addresses(links), routes(table)))
    if (clash !== undefined) return yield* new Refused({ problem: clash.problem, fix: clash.fix.replace(/^stop all VMs, /, "").replace(/, then .*$/, `, then ${again}`) })
  })

/** One that came after banger's bridge is doctor's to tell, since VMs may run. */
export const bridgeStands = () => existsSync(`/sys/class/net/${BRIDGE}`)

/**
 * Whoever manages the host's interfaces reads anew what it is to leave alone. One that does not answer is told of and is no
 * failure: Debian's SELinux policy denies the answer alone, and at the next boot the files are read anyway.
 */
export const reloadNetworkManagers = Effect.forEach([
  { unit: "systemd-networkd.service", reload: ["networkctl", "reload"] },
  { unit: "NetworkManager.service", reload: ["systemctl", "reload", "NetworkManager.service"] }
] as const, ({ reload, unit }) =>
  Effect.flatMap(Effect.isSuccess(run(["systemctl", "is-active", "--quiet", unit])), (runs) =>
    runs ? Effect.catchAll(run(reload), ({ message }) => Console.error(`warn  ${message}\n      ${unit} may not know yet which links it is to leave alone: sudo systemctl restart ${unit} tells it`)) : Effect.void), { discard: true })

/** What on the host may need that packets are forwarded. */
interface Forwarding {
  /** By name: virtual ones, which lead to containers, guests or tunnels. */
  readonly virtualLinks: ReadonlyArray<string>
  /** Files that sysctl reads at boot, with their text. */
  readonly sysctls: ReadonlyArray<{ readonly file: string; readonly text: string }>
  readonly nftRules: string
  readonly iptablesRules: string
}

const FORWARDS = /^\s*-?\s*net[./]ipv4[./](?:ip_forward|conf[./][^=]+[./]forwarding)\s*=\s*1\s*$/m
/** firewalld, and others, let pass what was translated, whether anything is or not. */
const ASKS = /\bct status (?:dnat|snat)\b/g
const TRANSLATES = /\b(?:masquerade|snat|dnat|MASQUERADE|SNAT|DNAT)\b/

/** Links that the kernel makes by itself in every network namespace once their module is loaded. */
const FALLBACK = /^(?:lo|tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0|dummy0|teql0)$/

/** Who else needs that the host forwards IPv4, in a few words; undefined when nobody is seen to. */
export const forwarder = ({ iptablesRules, nftRules, sysctls, virtualLinks }: Forwarding): string | undefined => {
  const link = virtualLinks.find((name) => !FALLBACK.test(name) && name !== BRIDGE && name !== DNS_LINK && !/^bng\d+$/.test(name))
  const sysctl = sysctls.find(({ text }) => FORWARDS.test(text))
  return sysctl !== undefined
    ? `${sysctl.file} asks for it`
    : link !== undefined
    ? `${link} may need it`
    : TRANSLATES.test(nftRules.replaceAll(ASKS, "")) || TRANSLATES.test(iptablesRules)
    ? "the host translates addresses"
    : undefined
}

const inDirectory = (directory: string, keep: (file: string) => boolean) =>
  existsSync(directory) ? readdirSync(directory).map((name) => path.join(directory, name)).filter(keep) : []

/** Looked at when banger's own links and rules are gone. */
export const needsForwarding = Effect.gen(function*() {
  const said = (...argv: readonly [string, ...ReadonlyArray<string>]) => Effect.orElseSucceed(run(argv), () => "")
  const files = ["/etc/sysctl.conf", ...["/etc", "/run", "/usr/local/lib", "/usr/lib"].flatMap((root) => inDirectory(`${root}/sysctl.d`, (file) => file.endsWith(".conf") && file !== SYSCTL))]
  return forwarder({
    virtualLinks: readdirSync("/sys/class/net").filter((name) => existsSync(`/sys/class/net/${name}`) && realpathSync(`/sys/class/net/${name}`).includes("/devices/virtual/")),
    sysctls: files.filter(existsSync).map((file) => ({ file, text: readFileSync(file, "utf8") })),
    nftRules: yield* said("nft", "list", "ruleset"),
    iptablesRules: yield* said("iptables-save")
  })
})
