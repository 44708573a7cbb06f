import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dmDevices } from "@banger/capabilities/dm-snapshot/devices.ts"
import { run } from "@banger/capabilities/exec.ts"
import { JUMPS, TABLE } from "@banger/capabilities/nat/rules.ts"
import { CACHE, EXITS, JAILS, RUN_VMS, STATE } from "@banger/capabilities/paths.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { installRecord } from "../settings.ts"
import { COMMAND, LIBRARY, SETTINGS, UNIT_DIRECTORY, UNITS } from "./files.ts"
import { Refused } from "./refused.ts"

const vmUnits = run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "banger-vm@*"]).pipe(
  Effect.map((listing) => listing.split("\n").flatMap((line) => line.trim().split(" ")[0] || []))
)

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
    readdirSync("/sys/class/net").filter((name) => /^(bng\d+|br-banger|banger-dns)$/.test(name)),
    (name) => run(["ip", "link", "delete", name]),
    { discard: true }
  )
)

/** Everything of banger on the host, found by its names alone: works with the daemon, the database and the install dead. */
const sweep = (ipForward: string) =>
  Effect.gen(function*() {
    const steps = [
      attempt("VM units", Effect.flatMap(vmUnits, (units) => units.length === 0 ? Effect.void : Effect.zipRight(Effect.ignoreLogged(run(["systemctl", "kill", "--signal=KILL", ...units])), run(["systemctl", "stop", ...units])))),
      attempt("slice", run(["systemctl", "stop", "banger.slice"])),
      Effect.suspend(() => Effect.forEach([...dmDevices().keys()].filter((name) => name.startsWith("banger-")), (name) => attempt(`dm device ${name}`, run(["dmsetup", "remove", "--retry", name])))).pipe(Effect.map((all) => all.flat())),
      attempt("interfaces", interfaces),
      attempt("iptables chains", removeChains),
      ...["bridge banger", TABLE].map((table) => attempt(`nft table ${table}`, run(["nft", "-f", "-"], { stdin: `table ${table}\ndelete table ${table}\n` }))),
      attempt("ip_forward", run(["sysctl", "-q", "-w", `net.ipv4.ip_forward=${ipForward}`])),
      attempt("run directories", run(["rm", "-rf", "--one-file-system", "--", RUN_VMS, EXITS, "/run/banger", "/run/banger-root", JAILS]))
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
    yield* Effect.forEach(UNITS.filter((unit) => !unit.includes("@") && existsSync(`${UNIT_DIRECTORY}/${unit}`)), (unit) =>
      run(["systemctl", "disable", "--quiet", "--now", unit]), { discard: true })
    const left = yield* sweep(record._tag === "Some" ? record.value.ipForward : readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8").trim())
    const written = [...UNITS.map((unit) => `${UNIT_DIRECTORY}/${unit}`), ...Object.keys(SETTINGS), COMMAND, LIBRARY]
    const state = purge ? [STATE, CACHE, "/etc/banger"] : []
    // Before the command goes that would try again.
    if (left.length > 0) return yield* new Refused({ problem: `not everything could be removed: ${left.join("; ")}`, fix: "banger system uninstall --stop again" })
    // `rm` walks by file descriptors: part of this is the owner's, who could exchange a directory under a walk by path.
    yield* run(["rm", "-rf", "--one-file-system", "--", ...written, ...state])
    yield* run(["systemctl", "daemon-reload"])
    yield* run(["udevadm", "control", "--reload"])
    yield* Console.error(purge ? "banger is gone, with its images and VMs" : `banger is gone; images and VMs stay in ${STATE} (--purge removes them)`)
  })
