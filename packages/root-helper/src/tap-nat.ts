import { existsSync, readFileSync, readlinkSync } from "node:fs"
import { networkInterfaces } from "node:os"
import * as path from "node:path"
import { run } from "@banger/capabilities/exec.ts"
import { opFailed } from "@banger/capabilities/op-failed.ts"
import { tapAcceptance, tapChain, tapJumps, tapRemoval, tapRules, tapsWithRules, tapTable } from "@banger/capabilities/nat/tap-rules.ts"
import { BRIDGE, DNS_LINK } from "@banger/capabilities/tap-pool/bridge.ts"
import { hostValues } from "@banger/domain/host-config.ts"
import { type Cidr, isIn } from "@banger/domain/network.ts"
import { type HostAddress, LinkName, type TapNat } from "@banger/domain/tap-nat.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Refused } from "./install/refused.ts"
import { hostConfig, installRecord } from "./settings.ts"

/** Bit of a tun device's flags, linux/if_tun.h. */
const IFF_TAP = 2

/** What of the host decides whether a TAP and an address may have rules. */
export interface Surroundings {
  readonly cidr: Cidr
  readonly kind: "missing" | "another link" | "tap"
  /** The link that it is a port of. */
  readonly master: string | undefined
  readonly own: ReadonlyArray<string>
  readonly forwarding: boolean
}

/**
 * Why not; undefined where nothing stands against it. Rules for another link than a TAP could be for the uplink, whose new
 * connections they would drop.
 */
export const unfitting = (tap: LinkName, address: HostAddress, { cidr, forwarding, kind, master, own }: Surroundings): Refused | undefined =>
  tap === BRIDGE || tap === DNS_LINK || /^bng\d+$/.test(tap)
    ? new Refused({ problem: `${tap} is banger's own`, fix: "banger vm set --nat NAME lets a VM out" })
    : isIn(cidr, address)
    ? new Refused({ problem: `${address} is of ${cidr}, the network of banger's VMs`, fix: "give the TAP and its machine addresses of another network" })
    : kind === "missing"
    ? new Refused({ problem: `there is no link ${tap}`, fix: `sudo ip tuntap add dev ${tap} mode tap` })
    : kind === "another link"
    ? new Refused({ problem: `${tap} is no TAP`, fix: "ip -d tuntap list shows those that there are" })
    : master !== undefined
    ? new Refused({ problem: `${tap} is a port of ${master}: what comes in by it is routed from there`, fix: `sudo ip link set ${tap} nomaster, and an address of its own` })
    : own.includes(address)
    ? new Refused({ problem: `${address} is the host's own`, fix: "--address is the machine's, whose gateway the TAP's is" })
    : !forwarding
    ? new Refused({ problem: "the host does not forward IPv4", fix: "sudo sysctl -w net.ipv4.ip_forward=1" })
    : undefined

const link = (name: string, about = "") => `/sys/class/net/${name}${about}`

const kindOf = (tap: LinkName): Surroundings["kind"] =>
  !existsSync(link(tap)) ? "missing" : existsSync(link(tap, "/tun_flags")) && (Number(readFileSync(link(tap, "/tun_flags"), "utf8")) & IFF_TAP) !== 0 ? "tap" : "another link"

const surroundings = (tap: LinkName, cidr: Cidr): Surroundings => ({
  cidr,
  kind: kindOf(tap),
  master: existsSync(link(tap, "/master")) ? path.basename(readlinkSync(link(tap, "/master"))) : undefined,
  own: Object.values(networkInterfaces()).flatMap((each) => each ?? []).map(({ address }) => address),
  forwarding: readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1"
})

const iptablesSave = run(["iptables-save", "-t", "filter"])

const standing = (tap: LinkName, address: HostAddress | null): TapNat => ({ tap, address, table: tapTable(tap), chain: tapChain(tap) })

/** Safe to repeat; of one TAP there is one machine. The refusals stand before what accepts. */
export const up = (tap: LinkName, address: HostAddress) =>
  Effect.gen(function*() {
    // Who asks for rules must have something that takes them away again: uninstall.
    yield* installRecord
    const values = hostValues(yield* hostConfig)
    const refused = unfitting(tap, address, yield* Effect.sync(() => surroundings(tap, values.cidr)))
    if (refused !== undefined) return yield* refused
    yield* run(["nft", "-f", "-"], { stdin: tapRules(values, tap, address) })
    const jump = tapJumps(tap, yield* iptablesSave) === 0
    yield* run(["iptables-restore", "-w", "10", "--noflush"], { stdin: tapAcceptance(tap, jump) })
    return standing(tap, address)
  }).pipe(Effect.catchTag("CommandFailed", (error) => opFailed("nat rules")(error)))

const iptables = (...args: ReadonlyArray<string>) => run(["iptables", "-w", "10", ...args])

/** Removes what `up` made, by the TAP's name alone: it may be gone by now. Nothing stands when this succeeds. */
export const down = (tap: LinkName) =>
  Effect.gen(function*() {
    const listing = yield* iptablesSave
    for (let jumps = tapJumps(tap, listing); jumps > 0; jumps--) yield* iptables("-D", "FORWARD", "-j", tapChain(tap))
    if (listing.includes(`\n:${tapChain(tap)} `)) {
      yield* iptables("-F", tapChain(tap))
      yield* iptables("-X", tapChain(tap))
    }
    yield* run(["nft", "-f", "-"], { stdin: tapRemoval(tap) })
    return standing(tap, null)
  }).pipe(Effect.catchTag("CommandFailed", (error) => opFailed("nat rules")(error)))

/** All that `up` ever made and nobody took down: uninstall's. */
export const allDown = Effect.zipWith(run(["nft", "list", "tables"]), iptablesSave, tapsWithRules).pipe(
  Effect.flatMap(Effect.forEach((tap) => Effect.flatMap(Schema.decode(LinkName)(tap), down), { discard: true }))
)
