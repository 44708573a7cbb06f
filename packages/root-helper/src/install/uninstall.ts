import { existsSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { dmDevices } from "@banger/capabilities/dm-snapshot/devices.ts"
import { run } from "@banger/capabilities/exec.ts"
import { JUMPS, TABLE } from "@banger/capabilities/nat/rules.ts"
import { BRIDGE, DNS_LINK } from "@banger/capabilities/tap-pool/bridge.ts"
import { taps } from "@banger/capabilities/tap-pool/ops-live.ts"
import { CACHE, EXITS, JAILS, RUN_UNITS, RUN_VMS, STATE } from "@banger/capabilities/paths.ts"
import { tapName } from "@banger/domain/network.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { unitLimits } from "../leaks.ts"
import { allDown } from "../tap-nat.ts"
import { INSTALL_RECORD, installRecord } from "../settings.ts"
import { COMMAND, LIBRARY, NETWORK_MANAGER, SETTINGS, UNIT_DIRECTORY, UNITS } from "./files.ts"
import { leaveZone, ZONE_FILE } from "./firewalld.ts"
import { NAME_UNITS } from "./names.ts"
import { needsForwarding, reloadNetworkManagers } from "./network.ts"
import { Refused } from "./refused.ts"
import { sharedFiles } from "./shared.ts"
import { vmUnits } from "./vm-units.ts"

/** Longer than TimeoutStopSec of any of our units. */
const STOP_MS = 180_000

/** One step of the sweep; the others go on without it, and it is told at the end. */
const attempt = (what: string, act: Effect.Effect<unknown, { readonly message: string }>) =>
  Effect.match(act, { onSuccess: () => [], onFailure: (error) => [`${what}: ${error.message}`] })

/** Each part by itself, since any may be missing; what counts is that nothing is left. */
const removeChains = Effect.gen(function*() {
  for (const { from, to } of JUMPS) {
    for (const change of [["-D", from, "-j", to], ["-F", to], ["-X", to]]) yield* Effect.exit(run(["iptables", "-w", "10", ...change]))
  }
  const left = (yield* run(["iptables-save"])).split("\n").filter((line) => line.includes("BANGER-"))
  if (left.length > 0) return yield* new Refused({ problem: left.join("; "), fix: "iptables -S says who uses them" })
})

const interfaces = Effect.suspend(() =>
  Effect.forEach(
    [...taps().slots.map(tapName), ...[BRIDGE, DNS_LINK].filter((name) => existsSync(`/sys/class/net/${name}`))],
    (name) => run(["ip", "link", "delete", name]),
    { discard: true }
  )
)

/** As it was before banger, unless somebody has come to need it since. */
const noForwarding = Effect.flatMap(needsForwarding, (by) =>
  by === undefined
    ? run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"])
    : Console.error(`IPv4 forwarding stays on, as ${by}; sysctl -w net.ipv4.ip_forward=0 turns it off`))

/** Everything of banger on the host, found by its names alone: works with the daemon, the database and the install dead. */
const sweep = (ipForward: string) =>
  Effect.gen(function*() {
    const steps = [
      attempt("VM units", Effect.flatMap(vmUnits, (units) => units.length === 0 ? Effect.void : Effect.zipRight(Effect.ignoreLogged(run(["systemctl", "kill", "--signal=KILL", ...units])), run(["systemctl", "stop", ...units], { timeoutMs: STOP_MS })))),
      attempt("slice", run(["systemctl", "stop", "banger.slice"])),
      Effect.suspend(() => Effect.forEach([...dmDevices().keys()].filter((name) => name.startsWith("banger-")), (name) => attempt(`dm device ${name}`, run(["dmsetup", "remove", "--retry", name])))).pipe(Effect.map((all) => all.flat())),
      attempt("interfaces", interfaces),
      attempt("rules for TAPs", allDown),
      attempt("iptables chains", removeChains),
      ...["bridge banger", TABLE].map((table) => attempt(`nft table ${table}`, run(["nft", "-f", "-"], { stdin: `table ${table}\ndelete table ${table}\n` }))),
      attempt("firewalld's zone", leaveZone),
      attempt("ip_forward", ipForward === "0" ? noForwarding : Effect.void),
      attempt("run directories", run(["rm", "-rf", "--one-file-system", "--", RUN_VMS, EXITS, "/run/banger", "/run/banger-root", ...unitLimits().map((name) => `${RUN_UNITS}/${name}`), JAILS]))
    ]
    return (yield* Effect.forEach(steps, (step) => step)).flat()
  })

/** Refuses while VMs run, unless they are to be stopped. Keeps images and VMs' disks, unless they are to be purged. */
export const uninstall = ({ purge, stop }: { readonly purge: boolean; readonly stop: boolean }) =>
  Effect.gen(function*() {
    const units = yield* vmUnits
    if (units.length > 0 && !stop) {
      return yield* new Refused({ problem: `${units.length} VMs run`, fix: "banger vm stop --all, or banger system uninstall --stop" })
    }
    const record = yield* Effect.option(installRecord)
    // The name server's units first: a guest's query would start the daemon again.
    yield* Effect.forEach([...NAME_UNITS, ...UNITS].filter((unit) => !unit.includes("@") && existsSync(`${UNIT_DIRECTORY}/${unit}`)), (unit) =>
      run(["systemctl", "disable", "--quiet", "--now", unit], { timeoutMs: STOP_MS }), { discard: true })
    const left = yield* sweep(record._tag === "Some" ? record.value.ipForward : readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim())
    const written = [...[...NAME_UNITS, ...UNITS].map((unit) => `${UNIT_DIRECTORY}/${unit}`), ...Object.keys(SETTINGS), ZONE_FILE, ...sharedFiles("/"), COMMAND, LIBRARY, INSTALL_RECORD]
    const state = purge ? [STATE, CACHE, "/etc/banger"] : []
    // Before the command goes that would try again.
    if (left.length > 0) return yield* new Refused({ problem: `not everything could be removed: ${left.join("; ")}`, fix: "banger system uninstall --stop again" })
    // `rm` walks by file descriptors: part of this is the owner's, who could exchange a directory under a walk by path.
    yield* run(["rm", "-rf", "--one-file-system", "--", ...written, ...state])
    yield* run(["systemctl", "daemon-reload"], { timeoutMs: STOP_MS })
    yield* run(["udevadm", "control", "--reload"])
    // Made for our one file, where NetworkManager is not installed.
    for (const directory of [path.dirname(NETWORK_MANAGER), path.dirname(path.dirname(NETWORK_MANAGER))]) {
      if (existsSync(directory)) yield* run(["rmdir", "--ignore-fail-on-non-empty", "--", directory])
    }
    yield* reloadNetworkManagers
    yield* Console.error(purge ? "banger is gone, with its images and VMs" : `banger is gone; images and VMs stay in ${STATE} (--purge removes them)`)
  })
