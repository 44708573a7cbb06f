import { readFileSync } from "node:fs"
import * as fs from "node:fs/promises"
import { run } from "@banger/capabilities/exec.ts"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { hostConfig, type InstallRecord } from "../settings.ts"
import { rendered, UNIT_DIRECTORY, VM_UNIT } from "./files.ts"

const SOCKETS = ["bangerd-dns.socket", "bangerd-dns-guests.socket", "bangerd-dns-link.socket"]

/** The link on which systemd-resolved asks for `.vm` names. */
const LINK = "banger-dns.service"

/** The units of the name server. Some have an address of the network in them, so they follow host.toml. */
export const NAME_UNITS = [...SOCKETS, LINK]

/** Both services may take their TimeoutStopSec of a minute, one after the other, and an emulated host as long to start them. */
const RESTART_MS = 300_000

const before = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // It may not be there, or be something else: it is written in either case.
    return ""
  }
}

/** Writes the units that have something of host.toml in them; gives those that are others than before. */
const written = (record: InstallRecord) =>
  Effect.flatMap(hostConfig, (host) =>
    Effect.filter([...NAME_UNITS, VM_UNIT], (unit) =>
      Effect.gen(function*() {
        const template = yield* file(unit, () => fs.readFile(`${record.directory}/units/${unit}`, "utf8"))
        const text = rendered(template, record, host)
        const path = `${UNIT_DIRECTORY}/${unit}`
        if (before(path) === text) return false
        yield* writeWhole(path, text, 0o644)
        return true
      })))

/** All of them: systemctl's own status tells whether any is. */
const active = (...units: ReadonlyArray<string>) =>
  run(["systemctl", "is-active", ...units]).pipe(
    Effect.map((states) => states.trim().split("\n").every((state) => state === "active")),
    Effect.orElseSucceed(() => false)
  )

/** Where systemd-resolved does not run, the link comes with it once it does. */
const link = Effect.whenEffect(
  run(["systemctl", "restart", LINK], { timeoutMs: RESTART_MS }),
  active("systemd-resolved.service")
).pipe(Effect.catchAll((failed) => Console.error(`systemd-resolved does not route .vm names: ${failed.message}; journalctl -u ${LINK} says more`)))

/**
 * Restarts helper and daemon, with what host.toml says by now; VMs run on, each with the Firecracker that it was started with. The name server's units are made anew only where they
 * are not as they must be: queries wait in its sockets meanwhile. One that cannot be made, as another program has its port, is
 * no reason to be without a daemon: that one takes the port when it is free, and doctor says so.
 */
export const restart = (record: InstallRecord) =>
  Effect.gen(function*() {
    const units = yield* written(record)
    if (units.length > 0) yield* run(["systemctl", "daemon-reload"])
    const changed = units.some((unit) => NAME_UNITS.includes(unit))
    // Also where nothing changed: an install may have been killed between the two.
    yield* run(["systemctl", "enable", "--quiet", ...NAME_UNITS])
    const stand = yield* active(...SOCKETS)
    const services = ["bangerd-root.service", "bangerd.service"]
    // In one transaction: a socket is made only while the service behind it is stopped, and a command would start that one at any moment.
    yield* run(["systemctl", "restart", ...(changed || !stand ? SOCKETS : []), ...services], { timeoutMs: RESTART_MS }).pipe(
      Effect.catchAll((failed) =>
        Effect.flatMap(active(...services), (serving) =>
          serving ? Console.error(`the name server's sockets cannot be made: ${failed.message}; banger doctor says more`) : failed))
    )
    if (changed || !(yield* active(LINK))) yield* link
  })
