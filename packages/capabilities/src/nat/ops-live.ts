import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Slot } from "@banger/domain/ids.ts"
import { type CommandFailed, run } from "../exec.ts"
import { HostSettings } from "../host-settings.ts"
import { opFailed } from "../op-failed.ts"
import { version } from "../tool.ts"
import { NatOps } from "./ops.ts"
import { filterRules, JUMPS, natRules, natSlots, type NatSettings, stands } from "./rules.ts"

const restore = (rules: string) => run(["iptables-restore", "-w", "10", "--noflush"], { stdin: rules })

/** The slots that have NAT, or nothing where a chain or a jump is gone: a firewall's reload may take them away at any time. */
const current = (settings: NatSettings): Effect.Effect<Option.Option<ReadonlyArray<Slot>>, CommandFailed> =>
  // Asked for the one chain, iptables says of a missing one in three different ways that it is not there.
  run(["iptables-save"]).pipe(
    Effect.map((listing) => stands(listing) ? Option.some(natSlots(settings.cidr, listing)) : Option.none())
  )

/** The chains for these slots, and their jumps. */
const lay = (settings: NatSettings, slots: ReadonlyArray<Slot>) =>
  restore(filterRules(settings, slots) + natRules(settings)).pipe(
    Effect.zipRight(Effect.forEach(JUMPS, ({ from, table, to }) =>
      run(["iptables", "-w", "10", "-t", table, "-C", from, "-j", to]).pipe(
        Effect.catchAll(() => run(["iptables", "-w", "10", "-t", table, "-I", from, "1", "-j", to]))
      ), { discard: true }))
  )

/** Reads what is there, so that a helper that was restarted is no special case. */
const change = (settings: NatSettings, edit: (slots: ReadonlyArray<Slot>) => ReadonlyArray<Slot>) =>
  Effect.gen(function*() {
    const standing = yield* current(settings)
    const before = Option.getOrElse(standing, () => [])
    const after = edit(before)
    if (Option.isSome(standing) && after.length === before.length) return
    yield* Option.isSome(standing) ? restore(filterRules(settings, after)) : lay(settings, after)
  }).pipe(Effect.mapError(opFailed("iptables chain BANGER-FORWARD")))

/** Makes the chains and their jumps, keeping the slots that have NAT: running VMs notice nothing. */
export const prepare = Effect.gen(function*() {
  const settings = yield* HostSettings
  yield* lay(settings, Option.getOrElse(yield* current(settings), () => []))
}).pipe(Effect.mapError(opFailed("iptables chains")))

const forwarding = Effect.sync(() => readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1")

export const handlers = NatOps.toLayer(Effect.gen(function*() {
  const settings = yield* HostSettings
  const lock = yield* Effect.makeSemaphore(1)
  return NatOps.of({
    "nat.Find": ({ slot }) =>
      Effect.map(current(settings), Option.exists((slots: ReadonlyArray<Slot>) => slots.includes(slot))).pipe(Effect.mapError(opFailed("nat rules"))),
    "nat.Ensure": ({ enabled, slot }) =>
      lock.withPermits(1)(change(settings, (slots) => [...slots.filter((other) => other !== slot), ...(enabled ? [slot] : [])])),
    "nat.Remove": ({ slot }) => lock.withPermits(1)(change(settings, (slots) => slots.filter((other) => other !== slot))),
    "nat.Facts": () =>
      Effect.all({
        iptables: version(["iptables", "--version"]),
        forwarding,
        chains: Effect.isSuccess(run(["iptables", "-w", "10", "-C", "FORWARD", "-j", "BANGER-FORWARD"]))
      })
  })
}))
