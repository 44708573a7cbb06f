import { readdirSync } from "node:fs"
import { dmDevices, loopDevices } from "@banger/capabilities/dm-snapshot/devices.ts"
import { type CommandFailed, run } from "@banger/capabilities/exec.ts"
import type { Known } from "@banger/capabilities/host-ops.ts"
import { letOut } from "@banger/capabilities/nat/ops-live.ts"
import { EXITS, JAILS, ROOT_STATE, RUN_UNITS, RUN_VMS, STATE, STORE } from "@banger/capabilities/paths.ts"
import { taps } from "@banger/capabilities/tap-pool/ops-live.ts"
import { tapName } from "@banger/domain/network.ts"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const names = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}

/** Directories of drop-ins that VMs' units have until they end. */
export const unitLimits = () => names(RUN_UNITS).filter((name) => /^banger-vm@.+\.service\.d$/.test(name))

/**
 * Host objects with banger's names that no known VM should have, each as `kind name`: the same words in which capabilities
 * say what a run of theirs has (`objects`). Reads sysfs and directories; nft and systemctl once each.
 */
export const leaks = (known: Known): Effect.Effect<ReadonlyArray<string>, CommandFailed> =>
  Effect.gen(function*() {
    const vms = known.running
    const objects = new Set(known.objects)
    const estates = new Set<string>(known.estates)
    const ofRuns = (what: string, found: ReadonlyArray<string>) => found.map((name) => `${what} ${name}`).filter((object) => !objects.has(object))
    const strangers = (what: string, found: ReadonlyArray<string>, expected: ReadonlySet<string>) =>
      found.filter((name) => !expected.has(name)).map((name) => `${what} ${name}`)
    const units = yield* run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "banger-vm@*"]).pipe(
      Effect.map((listing) => listing.split("\n").flatMap((line) => line.split(" ")[0] || [])),
      Effect.orElseSucceed(() => [])
    )
    return [
      ...ofRuns("dm device", [...dmDevices().keys()].filter((name) => name.startsWith("banger-"))),
      // Loops of stored files belong to whichever VMs run; those of a COW file to its VM.
      ...loopDevices(STATE).filter(({ file }) => file.startsWith(STORE) ? vms.length === 0 : !vms.some((vm) => file.includes(vm)))
        .map(({ file, name }) => `loop device ${name} of ${file}`),
      ...ofRuns("interface", taps().slots.map(tapName)),
      ...ofRuns("nat rule of", Option.getOrElse(yield* letOut, () => [])),
      ...ofRuns("unit", units),
      ...ofRuns("limits of", unitLimits().map((name) => name.slice(0, -".d".length))),
      ...ofRuns("jail", names(`${JAILS}/firecracker`)),
      ...ofRuns("socket directory", names(RUN_VMS)),
      ...strangers("exit file", names(EXITS), estates),
      ...strangers("disks of", names(`${ROOT_STATE}/vms`), estates),
      ...strangers("stored file", names(STORE), new Set<string>(known.stored))
    ]
  })

export const NOTHING_KNOWN: Known = { estates: [], running: [], objects: [], stored: [] }
