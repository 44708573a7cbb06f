import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Slot } from "@banger/domain/ids.ts"
import { type CommandFailed, run } from "../exec.ts"
import { HostSettings } from "../host-settings.ts"
import { opFailed } from "../op-failed.ts"
import { version } from "../tool.ts"
import { BRIDGE } from "../tap-pool/bridge.ts"
import { NatOps } from "./ops.ts"
import { filterRules, JUMPS, natRules, natSlots, type NatSettings, stands } from "./rules.ts"

const restore = (rules: string) => run(["iptables-restore", "-w", "10", "--noflush"], { stdin: rules })

/** The slots that have NAT, or nothing where a chain or a jump is gone: a firewall's reload may take them away at any time. */
const current: Effect.Effect<Option.Option<ReadonlyArray<Slot>>, CommandFailed, HostSettings> = Effect.gen(function*() {
  const { cidr } = yield* HostSettings
  // Asked for the one chain, iptables says of a missing one in three different ways that it is not there.
  const listing = yield* run(["iptables-save"])
  return stands(listing) ? Option.some(natSlots(cidr, listing)) : Option.none()
})

/** The chains for these slots, and their jumps. */
const lay = (settings: NatSettings, slots: ReadonlyArray<Slot>) =>
  restore(filterRules(settings, slots) + natRules(settings)).pipe(
    Effect.zipRight(Effect.forEach(JUMPS, ({ from, table, to }) =>
      run(["iptables", "-w", "10", "-t", table, "-C", from, "-j", to]).pipe(
        Effect.catchAll(() => run(["iptables", "-w", "10", "-t", table, "-I", from, "1", "-j", to]))
      ), { discard: true }))
  )

/** Reads what is there, so that a helper that was restarted is no special case. */
const change = (edit: (slots: ReadonlyArray<Slot>) => ReadonlyArray<Slot>) =>
  Effect.gen(function*() {
    const settings = yield* HostSettings
    const standing = yield* current
    const before = Option.getOrElse(standing, () => [])
    const after = edit(before)
    if (Option.isSome(standing) && after.length === before.length) return
    yield* Option.isSome(standing) ? restore(filterRules(settings, after)) : lay(settings, after)
  }).pipe(Effect.mapError(opFailed("iptables chain BANGER-FORWARD")))

/** Makes the chains and their jumps, keeping the slots that have NAT: running VMs notice nothing. */
export const prepare = Effect.gen(function*() {
  yield* lay(yield* HostSettings, Option.getOrElse(yield* current, () => []))
}).pipe(Effect.mapError(opFailed("iptables chains")))

const find = (slot: Slot) =>
  Effect.map(current, Option.exists((slots: ReadonlyArray<Slot>) => slots.includes(slot))).pipe(Effect.mapError(opFailed("nat rules")))

const facts = Effect.all({
  iptables: version(["iptables", "--version"]),
  forwarding: Effect.sync(() => readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1"),
  chains: Effect.isSuccess(run(["iptables", "-w", "10", "-C", "FORWARD", "-j", "BANGER-FORWARD"])),
  firewalld: run(["nft", "list", "table", "inet", "firewalld"]).pipe(
    Effect.map((table) => !table.includes(`"${BRIDGE}"`)),
    // No such table: it does not run.
    Effect.orElseSucceed(() => false)
  )
})

export const handlers = NatOps.toLayer(Effect.gen(function*() {
  // Reading the rules and writing them is one step.
  const alone = (yield* Effect.makeSemaphore(1)).withPermits(1)
  return NatOps.of({
    "nat.Find": ({ slot }) => find(slot),
    "nat.Ensure": ({ enabled, slot }) => alone(change((slots) => [...slots.filter((other) => other !== slot), ...(enabled ? [slot] : [])])),
    "nat.Remove": ({ slot }) => alone(change((slots) => slots.filter((other) => other !== slot))),
    "nat.Facts": () => facts
  })
}))
