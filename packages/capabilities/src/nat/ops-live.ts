import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { Slot } from "@banger/domain/ids.ts"
import { run } from "../exec.ts"
import { HostSettings } from "../host-settings.ts"
import { opFailed } from "../op-failed.ts"
import { version } from "../tool.ts"
import { NatOps } from "./ops.ts"
import { filterRules, JUMPS, natRules, natSlots, type NatSettings } from "./rules.ts"

const restore = (rules: string) => run(["iptables-restore", "-w", "10", "--noflush"], { stdin: rules })

const current = (settings: NatSettings) =>
  run(["iptables", "-w", "10", "-S", "BANGER-FORWARD"]).pipe(Effect.map((listing) => natSlots(settings.cidr, listing)))

/** Reads what is there, so that a helper that was restarted, or a firewall that was reloaded, is no special case. */
const change = (settings: NatSettings, edit: (slots: ReadonlyArray<Slot>) => ReadonlyArray<Slot>) =>
  Effect.gen(function*() {
    const before = yield* current(settings)
    const after = edit(before)
    if (after.length !== before.length) yield* restore(filterRules(settings, after))
  }).pipe(Effect.mapError(opFailed("iptables chain BANGER-FORWARD")))

/** Makes the chains and their jumps, keeping the slots that have NAT: running VMs notice nothing. */
export const prepare = Effect.gen(function*() {
  const settings = yield* HostSettings
  const slots = yield* current(settings).pipe(Effect.orElseSucceed(() => []))
  yield* restore(filterRules(settings, slots) + natRules(settings))
  yield* Effect.forEach(JUMPS, ({ from, table, to }) =>
    run(["iptables", "-w", "10", "-t", table, "-C", from, "-j", to]).pipe(
      Effect.catchAll(() => run(["iptables", "-w", "10", "-t", table, "-I", from, "1", "-j", to]))
    ), { discard: true })
}).pipe(Effect.mapError(opFailed("iptables chains")))

const forwarding = Effect.sync(() => readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim() === "1")

export const handlers = NatOps.toLayer(Effect.gen(function*() {
  const settings = yield* HostSettings
  const lock = yield* Effect.makeSemaphore(1)
  return NatOps.of({
    "nat.Find": ({ slot }) =>
      Effect.map(current(settings), (slots) => slots.includes(slot)).pipe(Effect.mapError(opFailed("nat rules"))),
    "nat.Ensure": ({ slot }) => lock.withPermits(1)(change(settings, (slots) => slots.includes(slot) ? slots : [...slots, slot])),
    "nat.Remove": ({ slot }) => lock.withPermits(1)(change(settings, (slots) => slots.filter((other) => other !== slot))),
    "nat.Facts": () =>
      Effect.all({
        iptables: version(["iptables", "--version"]),
        forwarding,
        chains: Effect.isSuccess(run(["iptables", "-w", "10", "-C", "FORWARD", "-j", "BANGER-FORWARD"]))
      })
  })
}))
