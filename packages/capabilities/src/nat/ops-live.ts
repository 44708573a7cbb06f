import { readFileSync } from "node:fs"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Slot } from "@banger/domain/ids.ts"
import { slotOf } from "@banger/domain/network.ts"
import { type CommandFailed, run } from "../exec.ts"
import { HostSettings } from "../host-settings.ts"
import { opFailed } from "../op-failed.ts"
import { version } from "../tool.ts"
import { BRIDGE } from "../tap-pool/bridge.ts"
import { NatOps } from "./ops.ts"
import { acceptance, accepted, addition, addresses, JUMPS, removal, TABLE, table } from "./rules.ts"

const nft = (script: string) => run(["nft", "-f", "-"], { stdin: script })

/** The addresses that are let out, or nothing where the table is gone: a reload of the host's own rules may take it away. */
export const letOut = run(["nft", "list", "set", ...TABLE.split(" "), "nat"]).pipe(
  Effect.map((listing) => Option.some(addresses(listing))),
  Effect.catchIf(({ stderr }) => stderr.includes("No such file"), () => Effect.succeedNone)
)

const slotsOf = (asked: typeof letOut) =>
  Effect.zipWith(HostSettings, asked, ({ cidr }, found) =>
    Option.map(found, Array.filterMap((address) => Option.fromNullable(slotOf(cidr, address)))))

const iptablesAccepts = Effect.map(run(["iptables-save", "-t", "filter"]), accepted)

const layAcceptance = run(["iptables-restore", "-w", "10", "--noflush"], { stdin: acceptance }).pipe(
  Effect.zipRight(Effect.forEach(JUMPS, ({ from, to }) =>
    run(["iptables", "-w", "10", "-C", from, "-j", to]).pipe(
      Effect.catchAll(() => run(["iptables", "-w", "10", "-I", from, "1", "-j", to]))
    ), { discard: true }))
)

/** Both sets of rules, keeping the slots that have NAT: running VMs notice nothing. The refusals stand before what accepts. */
export const prepare = Effect.gen(function*() {
  const settings = yield* HostSettings
  yield* nft(table(settings, Option.getOrElse(yield* slotsOf(letOut), () => [])))
  yield* layAcceptance
}).pipe(Effect.mapError(opFailed("nat rules")))

/** One transaction on a table that stands; where it is gone, what there is to do about that. */
const change = <R>(edit: string, gone: Effect.Effect<unknown, CommandFailed, R>) =>
  Effect.catchAll(nft(edit), (refused) => Effect.flatMap(letOut, (standing): Effect.Effect<unknown, CommandFailed, R> => Option.isSome(standing) ? refused : gone))

/** The slots let out so far, as the table had them when it was first asked: one that was taken away is laid again for all of them. */
type LetOut = Effect.Effect<Set<Slot>, CommandFailed, HostSettings>

const ensure = (known: LetOut, slot: Slot, enabled: boolean) =>
  Effect.gen(function*() {
    const settings = yield* HostSettings
    const out = yield* known
    if (enabled) out.add(slot)
    else out.delete(slot)
    const edit = change(
      enabled ? addition(settings.cidr, slot) : removal(settings.cidr, slot),
      Effect.suspend(() => nft(table(settings, [...out])))
    )
    const [, accepting] = yield* Effect.all([edit, iptablesAccepts], { concurrency: 2 })
    if (!accepting) yield* layAcceptance
  }).pipe(Effect.mapError(opFailed("nat rules")))

/** A table that is gone lets nobody out. */
const remove = (known: LetOut, slot: Slot) =>
  Effect.gen(function*() {
    const { cidr } = yield* HostSettings
    ;(yield* known).delete(slot)
    yield* change(removal(cidr, slot), Effect.void)
  }).pipe(Effect.mapError(opFailed("nat rules")))

/** What a doctor asks of the host before and after an install. */
export const facts = Effect.all({
  nft: version(["nft", "--version"]),
  iptables: version(["iptables", "--version"]),
  forwarding: Effect.sync(() => readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1"),
  table: Effect.orElseSucceed(Effect.map(letOut, Option.isSome), () => false),
  accepted: Effect.orElseSucceed(iptablesAccepts, () => false),
  firewalld: run(["nft", "list", "table", "inet", "firewalld"]).pipe(
    Effect.map((rules) => !rules.includes(`"${BRIDGE}"`)),
    // No such table: it does not run.
    Effect.orElseSucceed(() => false)
  )
})

/** `asked` are the addresses that the table lets out. */
export const handlersOn = (asked: typeof letOut) => NatOps.toLayer(Effect.gen(function*() {
  // Only the making of a table that is gone is more than one transaction.
  const alone = (yield* Effect.makeSemaphore(1)).withPermits(1)
  // Asked at the first change: the helper serves, and says what is missing, also where nft is missing or fails.
  let out: Set<Slot> | undefined
  const known: LetOut = Effect.suspend(() => out === undefined ? Effect.map(slotsOf(asked), (found) => out = new Set(Option.getOrElse(found, () => []))) : Effect.succeed(out))
  return NatOps.of({
    "nat.Ensure": ({ enabled, slot }) => alone(ensure(known, slot, enabled)),
    "nat.Remove": ({ slot }) => alone(remove(known, slot)),
    "nat.Facts": () => facts
  })
}))

export const handlers = handlersOn(letOut)
