import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { run } from "@banger/capabilities/exec.ts"
import { file, writeWhole } from "@banger/capabilities/files.ts"
import { BRIDGE } from "@banger/capabilities/tap-pool/bridge.ts"
import { toolPath } from "@banger/capabilities/tool.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const ZONE = "banger"
/** Where firewalld has what outlives its reloads. */
const ZONES = "/etc/firewalld/zones"
export const ZONE_FILE = `${ZONES}/${ZONE}.xml`

/**
 * Of two base chains that see a packet each must let it pass, and firewalld rejects what comes from a link of no zone of its own.
 * What is refused to guests is refused before it is asked (capabilities/nat/rules.ts).
 */
export const ZONE_TEXT = `<?xml version="1.0" encoding="utf-8"?>
<zone target="ACCEPT">
  <short>banger</short>
  <description>VMs of banger. What they may reach is decided by the nft table ip banger, before firewalld is asked.</description>
  <interface name="${BRIDGE}"/>
</zone>
`

/** The zone that somebody else's files put the bridge into. In two at once firewalld does not start. */
const elsewhere = (zones: string) =>
  existsSync(zones) && readdirSync(zones).some((name) => name.endsWith(".xml") && name !== path.basename(ZONE_FILE) && readFileSync(path.join(zones, name), "utf8").includes(`"${BRIDGE}"`))

const ask = (...args: ReadonlyArray<string>) => Effect.map(run(["firewall-cmd", ...args]), (said) => said.trim())

const runs = Effect.isSuccess(ask("--state"))

const known = Effect.map(ask("--get-zones"), (zones) => zones.split(/\s+/).includes(ZONE))

/**
 * Puts the bridge into a zone of its own, where there is a firewalld. One that runs learns of a new zone by a reload alone, which
 * would drop what others have told it and not made permanent, and all new connections meanwhile: until its next one the bridge is
 * in its own zone `trusted`, which says the same. A firewalld that refuses fails no install.
 */
export const joinZone = (root = "/") =>
  Effect.gen(function*() {
    const zones = path.join(root, ZONES)
    if (toolPath("firewall-cmd") === null || elsewhere(zones)) return
    yield* file(zones, () => fs.mkdir(zones, { recursive: true }))
    yield* writeWhole(path.join(root, ZONE_FILE), ZONE_TEXT, 0o644)
    if (!(yield* runs)) return
    yield* ask(`--zone=${(yield* known) ? ZONE : "trusted"}`, `--change-interface=${BRIDGE}`)
  }).pipe(Effect.catchAll(({ message }) => Console.error(`warn  ${message}\n      firewalld may reject what guests send: banger doctor says whether it does`)))

/** As before: the zone's file is uninstall's to remove, with all that an install has written. */
export const leaveZone = Effect.gen(function*() {
  if (toolPath("firewall-cmd") === null || !(yield* runs)) return
  const zone = yield* Effect.orElseSucceed(ask(`--get-zone-of-interface=${BRIDGE}`), () => "")
  if (zone !== "" && !elsewhere(ZONES)) yield* ask(`--zone=${zone}`, `--remove-interface=${BRIDGE}`)
  if (yield* known) yield* Console.error(`firewalld has the zone ${ZONE}, empty, until its next reload`)
})
