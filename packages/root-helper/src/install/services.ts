import * as fs from "node:fs/promises"
import { run } from "@banger/capabilities/exec.ts"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { version } from "@banger/capabilities/tool.ts"
import * as Effect from "effect/Effect"
import { hostConfig, type InstallRecord } from "../settings.ts"
import { rendered, SETTINGS, UNIT_DIRECTORY, UNITS } from "./files.ts"
import { restart } from "./names.ts"
import { joinZone } from "./firewalld.ts"
import { reloadNetworkManagers } from "./network.ts"
import type { Step } from "./step.ts"

/** Both services may take their TimeoutStopSec of a minute, one after the other, and a busy host as long for each of these commands. */
const PATIENCE_MS = 300_000

const systemctl = (...args: ReadonlyArray<string>) => run(["systemctl", ...args], { timeoutMs: PATIENCE_MS })

const sockets = UNITS.filter((unit) => unit.endsWith(".socket"))
const daemons = UNITS.filter((unit) => unit.endsWith(".service") && !unit.includes("@"))

/**
 * Units name programs by the link `current`, with paths that every version has: whichever of them an install has written when
 * it is killed, they start what `current` leads to.
 */
const units = (record: InstallRecord) =>
  Effect.flatMap(hostConfig, (host) =>
    Effect.forEach(UNITS, (unit) =>
      Effect.gen(function*() {
        const template = yield* file(unit, () => fs.readFile(`${record.directory}/units/${unit}`, "utf8"))
        yield* writeWhole(`${UNIT_DIRECTORY}/${unit}`, rendered(template, record, host), 0o644)
      }), { discard: true }))

const settings = Effect.gen(function*() {
  for (const [path, content] of Object.entries(SETTINGS)) {
    yield* file(path, () => fs.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true }))
    yield* writeWhole(path, content, 0o644)
  }
  yield* run(["systemd-tmpfiles", "--create", "banger.conf"], { timeoutMs: PATIENCE_MS })
  yield* run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
  // A module that is built in, or missing, is doctor's to report.
  yield* Effect.forEach(["loop", "dm_snapshot", "tun"], (module) => version(["modprobe", module]))
  yield* run(["udevadm", "control", "--reload"], { timeoutMs: PATIENCE_MS })
  yield* reloadNetworkManagers
  yield* joinZone()
})

const started = (record: InstallRecord) => Effect.gen(function*() {
  yield* systemctl("daemon-reload")
  // A failed one, of whatever the last install was, does not start by itself.
  yield* Effect.ignore(systemctl("reset-failed", ...sockets, ...daemons))
  yield* systemctl("enable", "--quiet", ...sockets, ...daemons)
  yield* systemctl("start", ...sockets)
  yield* restart(record)
})

export const services = (record: InstallRecord): ReadonlyArray<Step<{ readonly message: string }>> => [
  { name: "units", do: units(record) },
  { name: "host settings", do: settings },
  { name: "services", do: started(record) }
]
