import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Slot } from "@banger/domain/ids.ts"
import { type Cidr, gateway, prefixLength, slots as slotsOf, tapName, vmUid } from "@banger/domain/network.ts"
import { run } from "../exec.ts"
import { HostSettings } from "../host-settings.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { feature } from "../kernel-feature.ts"
import { version } from "../tool.ts"
import { antiSpoofing, BRIDGE, bridgeLines, forwardingLine, removeLines, renewLines, tapLines } from "./bridge.ts"
import { addresses, conflict, routes, undisturbed } from "./in-use.ts"
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

/**
 * The slots whose TAP there is, and links that have only the name of one. banger's is a TAP of its slot's uid; whatever else is
 * called so is somebody's, and left alone.
 */
export const taps = (): { readonly slots: ReadonlyArray<Slot>; readonly strangers: ReadonlyArray<string> } => {
  const named = readdirSync("/sys/class/net").filter((name) => /^bng\d+$/.test(name))
  const slots = named.map((name) => Number(name.slice("bng".length))).filter(Schema.is(Slot)).filter((slot) => {
    try {
      return readFileSync(`${link(tapName(slot))}/owner`, "utf8").trim() === String(vmUid(slot))
    } catch {
      // No TAP, or gone by now.
      return false
    }
  })
  const own = new Set<string>(slots.map(tapName))
  return { slots, strangers: named.filter((name) => !own.has(name)) }
}

/** Whether a VM has the TAP open. */
const inUse = (slot: Slot): boolean => {
  try {
    return readFileSync(`${link(tapName(slot))}/carrier`, "utf8").trim() === "1"
  } catch {
    // A link that is down has no carrier to read.
    return false
  }
}

const ip = (lines: ReadonlyArray<string>) => run(["ip", "-batch", "-"], { stdin: lines.join("\n") + "\n" })
const forwarding = (slots: ReadonlyArray<Slot>) => run(["bridge", "-batch", "-"], { stdin: slots.map(forwardingLine).join("\n") + "\n" })

/** A reload of the host's own nftables rules takes ours away. */
const antiSpoofingStands = Effect.isSuccess(run(["nft", "list", "chain", "bridge", "banger", "guest"]))

const own = (cidr: Cidr) => `${gateway(cidr)}/${prefixLength(cidr)}`

/** The host's addresses and routes, those of the bridge, and who else has the network. */
const surroundings = (cidr: Cidr) =>
  Effect.gen(function*() {
    const [links, table] = yield* Effect.all([run(["ip", "-j", "address"]), run(["ip", "-j", "route", "show", "table", "all"])], { concurrency: 2 }).pipe(
      Effect.flatMap(([links, table]) => Effect.try({ try: () => [addresses(links), routes(table)] as const, catch: (error) => opFailed("ip -j")({ message: String(error) }) }))
    )
    return {
      clash: conflict(cidr, links, table),
      bridge: links.filter(({ ifname }) => ifname === BRIDGE).flatMap(({ addr_info }) =>
        addr_info.filter(({ family }) => family === "inet").map(({ local, prefixlen }) => `${local}/${prefixlen}`))
    }
  })

/**
 * The bridge, with its own address and no other. It is made over nobody's network: where somebody has the addresses it is
 * refused, and one that stands and serves no VM gives them back. With VMs it stays, as they would lose their network; doctor says it.
 */
const bridge = Effect.gen(function*() {
  const { cidr, vmToVm } = yield* HostSettings
  const around = yield* surroundings(cidr)
  const { slots } = taps()
  const others = around.bridge.filter((each) => each !== own(cidr))
  if (around.clash !== undefined && !(around.bridge.includes(own(cidr)) && slots.some(inUse))) {
    if (around.bridge.length > 0) yield* ip(around.bridge.map((each) => `address delete ${each} dev ${BRIDGE}`))
    return yield* new OpFailed({ subject: "network", ...around.clash })
  }
  yield* ip([...bridgeLines(cidr, existsSync(link(BRIDGE))), ...renewLines(others)])
  // A TAP of before another network, or one that a network manager took from the bridge.
  const renewed = slots.filter((slot) => slotsOf(cidr).includes(slot) && (others.length > 0 || !stands(tapName(slot), !vmToVm)))
  if (renewed.length === 0) return
  yield* ip(renewed.flatMap((slot) => tapLines(cidr, slot, { exists: true, isolated: !vmToVm })))
  yield* forwarding(renewed)
})

const ensure = (slots: ReadonlyArray<Slot>) =>
  Effect.gen(function*() {
    const { cidr, vmToVm } = yield* HostSettings
    const strange = slots.find((slot) => existsSync(link(tapName(slot))) && !taps().slots.includes(slot))
    if (strange !== undefined) {
      return yield* new OpFailed({ subject: `tap ${tapName(strange)}`, problem: "a link of that name is there, and not banger's", fix: `ip -d link show ${tapName(strange)} says what it is; sudo ip link delete ${tapName(strange)}` })
    }
    if (!undisturbed(cidr, readFileSync("/proc/net/route", "utf8"))) yield* bridge
    if (!(yield* antiSpoofingStands)) yield* run(["nft", "-f", "-"], { stdin: antiSpoofing(cidr) })
    const missing = slots.filter((slot) => !stands(tapName(slot), !vmToVm))
    if (missing.length === 0) return
    yield* ip(missing.flatMap((slot) => tapLines(cidr, slot, { exists: existsSync(link(tapName(slot))), isolated: !vmToVm })))
    yield* forwarding(missing)
  }).pipe(Effect.mapError(opFailed(`tap ${slots.map(tapName).join(" ")}`)))

/** A link of somebody else's with the TAP's name stays. */
const remove = (slot: Slot) =>
  Effect.gen(function*() {
    const { cidr } = yield* HostSettings
    if (taps().slots.includes(slot)) yield* ip(removeLines(cidr, slot))
  }).pipe(Effect.mapError(opFailed(`tap ${tapName(slot)}`)))

const list = Effect.try({ try: taps, catch: (error) => opFailed("taps")({ message: String(error) }) })

/** What all VMs share: the anti-spoofing table and the bridge. Repeated at every start of the helper. */
export const prepare = Effect.gen(function*() {
  const { cidr } = yield* HostSettings
  yield* run(["nft", "-f", "-"], { stdin: antiSpoofing(cidr) })
  yield* bridge
}).pipe(Effect.mapError(opFailed(`bridge ${BRIDGE}`)))

/** What a doctor asks of the host before and after an install. */
export const facts = Effect.gen(function*() {
  const { cidr, vmToVm } = yield* HostSettings
  const found = yield* version(["ip", "-V"])
  const around = found === null ? { clash: undefined, bridge: [] } : yield* surroundings(cidr)
  const { slots, strangers } = yield* list
  return {
    tun: yield* feature(existsSync("/dev/net/tun"), "tun"),
    ip: found,
    bridge: existsSync(link(BRIDGE)),
    antiSpoofing: yield* antiSpoofingStands,
    address: own(cidr),
    addresses: around.bridge,
    clash: around.clash ?? null,
    astray: slots.filter((slot) => !stands(tapName(slot), !vmToVm)).map(tapName),
    strangers
  }
}).pipe(Effect.mapError(opFailed("network")))

/**
 * Gone is only what the kernel does not have: a VM would be given up for it. What was changed under a TAP that stands
 * (host.toml, a flushed rule set, a half of a killed helper) is put right instead.
 */
const find = (slot: Slot) =>
  Effect.suspend(() => taps().slots.includes(slot) ? Effect.as(ensure([slot]), true) : Effect.succeed(false))

export const handlers = TapOps.toLayer(Effect.gen(function*() {
  // The pool and a VM may want the same TAP at the same time, and the kernel gives it to one of them only.
  const alone = (yield* Effect.makeSemaphore(1)).withPermits(1)
  return TapOps.of({
    "tap.Find": ({ slot }) => alone(find(slot)),
    "tap.Ensure": ({ slot }) => alone(ensure([slot])),
    "tap.Remove": ({ slot }) => alone(remove(slot)),
    "tap.Warm": ({ slots }) => alone(Effect.suspend(() => ensure(slots.filter((slot) => !taps().strangers.includes(tapName(slot)))))),
    "tap.List": () => list,
    "tap.Facts": () => facts
  })
}))
