import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { Slot } from "@banger/domain/ids.ts"
import { tapName } from "@banger/domain/network.ts"
import { run } from "../exec.ts"
import { HostSettings } from "../host-settings.ts"
import { opFailed } from "../op-failed.ts"
import { version } from "../tool.ts"
import { antiSpoofing, BRIDGE, bridgeLines, forwardingLine, removeLines, tapLines } from "./bridge.ts"
import { TapOps } from "./ops.ts"

const link = (device: string) => `/sys/class/net/${device}`

/** Bit of an interface's flags, linux/if.h. */
const IFF_UP = 1

/** On the bridge, isolated as it must be, and up, which is done last: a TAP that a killed helper left half-made is none. */
const stands = (device: string, isolated: boolean): boolean => {
  try {
    const read = (name: string) => readFileSync(`${link(device)}/${name}`, "utf8").trim()
    return path.basename(readlinkSync(`${link(device)}/master`)) === BRIDGE &&
      read("brport/isolated") === (isolated ? "1" : "0") &&
      (Number(read("flags")) & IFF_UP) !== 0
  } catch {
    return false
  }
}

const ip = (lines: ReadonlyArray<string>) => run(["ip", "-batch", "-"], { stdin: lines.join("\n") + "\n" })

/** A reload of the host's own nftables rules takes ours away. */
const antiSpoofingStands = Effect.isSuccess(run(["nft", "list", "chain", "bridge", "banger", "guest"]))

const ensure = (slots: ReadonlyArray<Slot>) =>
  Effect.gen(function*() {
    const { cidr, vmToVm } = yield* HostSettings
    if (!(yield* antiSpoofingStands)) yield* run(["nft", "-f", "-"], { stdin: antiSpoofing(cidr) })
    const missing = slots.filter((slot) => !stands(tapName(slot), !vmToVm))
    if (missing.length === 0) return
    yield* ip(missing.flatMap((slot) => tapLines(cidr, slot, { exists: existsSync(link(tapName(slot))), isolated: !vmToVm })))
    yield* run(["bridge", "-batch", "-"], { stdin: missing.map(forwardingLine).join("\n") + "\n" })
  }).pipe(Effect.mapError(opFailed(`tap ${slots.map(tapName).join(" ")}`)))

const remove = (slot: Slot) =>
  Effect.gen(function*() {
    const { cidr } = yield* HostSettings
    if (!existsSync(link(tapName(slot)))) return
    yield* ip(removeLines(cidr, slot))
  }).pipe(Effect.mapError(opFailed(`tap ${tapName(slot)}`)))

const list = Effect.try({
  try: () => readdirSync("/sys/class/net").flatMap((name) => /^bng(\d{1,5})$/.exec(name)?.[1] ?? []).map((slot) => Slot.make(Number(slot))),
  catch: (error) => opFailed("taps")({ message: String(error) })
})

/** What all VMs share: the bridge and the anti-spoofing table. Repeated at every start of the helper. */
export const prepare = Effect.gen(function*() {
  const { cidr } = yield* HostSettings
  yield* ip(bridgeLines(cidr, existsSync(link(BRIDGE))))
  yield* run(["nft", "-f", "-"], { stdin: antiSpoofing(cidr) })
}).pipe(Effect.mapError(opFailed(`bridge ${BRIDGE}`)))

const facts = Effect.gen(function*() {
  return {
    tun: existsSync("/dev/net/tun"),
    ip: yield* version(["ip", "-V"]),
    bridge: existsSync(link(BRIDGE)),
    antiSpoofing: yield* antiSpoofingStands
  }
})

/**
 * Gone is only what the kernel does not have: a VM would be given up for it. What was changed under a TAP that stands
 * (host.toml, a flushed rule set, a half of a killed helper) is put right instead.
 */
const find = (slot: Slot) =>
  Effect.suspend(() => existsSync(link(tapName(slot))) ? Effect.as(ensure([slot]), true) : Effect.succeed(false))

export const handlers = TapOps.toLayer(Effect.gen(function*() {
  // The pool and a VM may want the same TAP at the same time, and the kernel gives it to one of them only.
  const alone = (yield* Effect.makeSemaphore(1)).withPermits(1)
  return TapOps.of({
    "tap.Find": ({ slot }) => alone(find(slot)),
    "tap.Ensure": ({ slot }) => alone(ensure([slot])),
    "tap.Remove": ({ slot }) => alone(remove(slot)),
    "tap.Warm": ({ slots }) => alone(ensure(slots)),
    "tap.List": () => list,
    "tap.Facts": () => facts
  })
}))
