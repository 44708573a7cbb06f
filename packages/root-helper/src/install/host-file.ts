import { existsSync, statfsSync } from "node:fs"
import { writeWhole } from "@banger/capabilities/files.ts"
import * as FirecrackerCheck from "@banger/capabilities/firecracker/check.ts"
import { programFacts } from "@banger/capabilities/firecracker/program.ts"
import { ROOT_STATE } from "@banger/capabilities/paths.ts"
import { withValues } from "@banger/domain/config-edit.ts"
import { HOST_CONFIG } from "@banger/domain/config-file.ts"
import { decodeHostConfig, type Difference, differences, type HostConfig, hostValues, inWords, withWish } from "@banger/domain/host-config.ts"
import { size } from "@banger/domain/size.ts"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { programs } from "../settings.ts"
import { refuseCidrInUse } from "./network.ts"
import { Refused } from "./refused.ts"
import { vmUnits } from "./vm-units.ts"

/** The file where there is none: what there is to say, and nothing said. */
const TEMPLATE = `# What root goes by. All keys are optional.
# sudo banger system apply changes in here the lines of the keys that the owner's ~/.config/banger/config.toml has, and leaves the
# rest: comments, and keys that the owner's file does not have. What you write by hand counts after sudo banger system restart.
# firecracker_bin = "/usr/local/bin/firecracker"
# [network]
# cidr = "172.16.0.0/24"
# vm_to_vm = false
# lan = false
# host_users = false
# [storage]
# reserve = "2G"
`

/** What becomes of root's file by an owner's wish. */
export interface Plan {
  readonly changes: ReadonlyArray<Difference>
  readonly before: HostConfig
  /** What the file says then, and its whole text. */
  readonly host: HostConfig
  readonly text: string
  /** Whether the text is another, or there is none yet. */
  readonly toWrite: boolean
}

/** `text` is that of the file; undefined where there is none. */
export const planOf = (text: string | undefined, wish: HostConfig) =>
  Effect.gen(function*() {
    const before = yield* decodeHostConfig(text ?? "")
    const changes = differences(before, wish)
    const changed = withValues(text ?? TEMPLATE, changes)
    if (changed === undefined) {
      return yield* new Refused({
        problem: `${HOST_CONFIG} is written in a form in which ${changes.map(({ key }) => key).join(" and ")} cannot be changed`,
        fix: "write each key there on a line of its own, below [network] or [storage], and try again"
      })
    }
    return { changes, before, host: withWish(before, wish), text: changed, toWrite: changed !== text } satisfies Plan
  })

/** The changes, one a line. */
export const inLines = ({ changes }: Plan): string => changes.map((change) => `  ${inWords(change)}`).join("\n")

const refuseWhileVmsRun = Effect.flatMap(vmUnits, (units) =>
  units.length === 0
    ? Effect.void
    : new Refused({ problem: `network.cidr changes only while no VM runs, and ${units.length === 1 ? "one does" : `${units.length} do`}`, fix: "banger vm stop --all first" }))

/** A reserve that the disk has not free would pause every VM at once; where the one before did so already, nothing is made worse. */
const refuseMoreThanFree = (before: number, reserveBytes: number) =>
  Effect.try({
    try: () => {
      const { bavail, bsize } = statfsSync(existsSync(ROOT_STATE) ? ROOT_STATE : "/var/lib")
      return bavail * bsize
    },
    catch: (error) => new Refused({ problem: `the disk of VMs cannot be looked at: ${String(error)}`, fix: "df /var/lib" })
  }).pipe(Effect.filterOrFail(
    (free) => free > reserveBytes || free <= before,
    (free) => new Refused({ problem: `storage.reserve is ${size(reserveBytes)}, and ${size(free)} are free where VMs lie: no VM could run`, fix: "take less, or make room: banger df shows what takes it" })
  ))

const refuseUnfitFirecracker = (firecracker: string) =>
  Effect.flatMap(programFacts(programs({ firecracker_bin: firecracker }, firecracker)), (facts) => {
    const verdict = FirecrackerCheck.program(facts)
    return verdict._tag === "NotReady"
      ? new Refused({ problem: `firecracker_bin ${firecracker}: ${verdict.problem}`, fix: verdict.fix })
      : verdict._tag === "Warning"
      ? Console.error(`warn  ${verdict.problem}\n      ${verdict.fix}`)
      : Effect.void
  })

/** Looks at what a plan changes, and refuses what would do harm or not work: all of it at once. `again` is what brought it here. */
export const refuseUnfit = ({ before, changes, host }: Plan, again: string) =>
  Effect.gen(function*() {
    const { cidr, firecracker, reserveBytes } = hostValues(host)
    const checks = {
      "network.cidr": [refuseWhileVmsRun, refuseCidrInUse(cidr, again)],
      "storage.reserve": [refuseMoreThanFree(hostValues(before).reserveBytes, reserveBytes)],
      "firecracker_bin": firecracker === undefined ? [] : [refuseUnfitFirecracker(firecracker)]
    }
    const found = yield* Effect.forEach(changes.flatMap(({ key }) => key in checks ? checks[key as keyof typeof checks] : []), Effect.either)
    const [first, ...more] = found.filter(Either.isLeft).map(({ left }) => left)
    if (first === undefined) return
    if (more.length === 0) return yield* Effect.fail(first)
    const all = [first, ...more]
    return yield* new Refused({ problem: all.map(({ message }) => message).join("; "), fix: [...new Set(all.flatMap((refused) => "hint" in refused ? [refused.hint] : []))].join("; ") })
  })

/** Writes the file whole, for all to read. */
export const writePlan = ({ text, toWrite }: Plan) => toWrite ? writeWhole(HOST_CONFIG, text, 0o644) : Effect.void
