import { lstatSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { basename, dirname, normalize } from "node:path"
import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { BadConfig } from "@banger/domain/config-file.ts"
import type { FileSync } from "@banger/domain/config.ts"
import { DEFAULT_DISK_MIB } from "@banger/domain/vm.ts"
import type { Progress } from "@banger/domain/progress.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { archiveOf, listed, wholeOf } from "../workspace/directory.ts"
import { type Member, readable, shown } from "../workspace/listing.ts"
import { type Sending, send } from "../workspace/workspace.ts"
import { userConfig, userConfigPath } from "./user-config.ts"
import { mustFit } from "./work-disk.ts"

/** One entry: what tar is given, and where the guest unpacks the archive. */
export interface Planned {
  readonly from: string
  readonly to: string
  readonly names: ReadonlyArray<Buffer>
  readonly also: ReadonlyArray<string>
  readonly members: ReadonlyArray<Member>
}

const DEFAULT_MODE = "600"

/** What of an entry a VM does not get, in words for the owner. */
type Notes = Array<string>

/** A mode for tar: directories can be entered by whoever may read them. */
export const modeFor = (octal: string): string =>
  ["a-x", ...["u", "g", "o"].map((who, at) => {
    const bits = Number(octal.at(at - 3))
    return `${who}=${bits & 4 ? "rX" : ""}${bits & 2 ? "w" : ""}${bits & 1 ? "x" : ""}`
  })].join(",")

/** A name as the replacement of tar's --transform has it. */
const replacement = (name: string) => name.replaceAll(/[\\&,]/g, "\\$&")

/** Below the home that `~` stands for, without a slash at its end. */
const below = (home: string, path: string) => normalize(path.startsWith("~/") ? `${home}/${path.slice(2)}` : path).replace(/\/+$/, "")

/**
 * One entry; undefined, with a notice, where the host has no such file. A link at its top is followed, and must lead to something in
 * the owner's home; links below it are left out, with a notice.
 */
const plan = (ownHome: string, notes: Notes) => ({ guest, host, mode = DEFAULT_MODE }: FileSync) =>
  Effect.gen(function*() {
    const home = realpathSync(ownHome)
    const target = below("/root", guest)
    const from = yield* Effect.try({ try: () => realpathSync(below(ownHome, host)), catch: (error) => error as NodeJS.ErrnoException }).pipe(
      Effect.catchIf(({ code }) => code === "ENOENT", () => Effect.sync(() => void notes.push(`file_sync: there is no ${host}, so VMs do not get it`))),
      Effect.mapError(({ message }) => new BadConfig({ path: userConfigPath(), problem: `file_sync: ${message}` }))
    )
    if (from === undefined) return undefined
    if (!from.startsWith(`${home}/`)) return yield* new BadConfig({ path: userConfigPath(), problem: `file_sync: ${host} leads to ${from}, which is not in your home` })
    const stat = lstatSync(from, { bigint: true })
    const modes = `--mode=${modeFor(mode)}`
    if (stat.isFile()) {
      if (!readable(Buffer.from(from), stat)) return yield* new BadConfig({ path: userConfigPath(), problem: `file_sync: ${host} may not be read` })
      const name = Buffer.from(basename(from))
      return {
        from: dirname(from),
        to: dirname(target),
        names: [name],
        also: [modes, `--transform=s,.*,${replacement(basename(target))},`],
        members: [{ path: name, kind: "file" as const, mode: 0, bytes: Number(stat.size) }]
      }
    }
    if (!stat.isDirectory()) return yield* new BadConfig({ path: userConfigPath(), problem: `file_sync: ${host} is neither a file nor a directory` })
    const [links, members] = Array.partition((yield* listed({ from, target })).members, ({ kind }) => kind !== "symlink")
    if (links.length > 0) notes.push(`file_sync: left out of ${host}, as links: ${links.map(({ path }) => shown(path)).join(", ")}`)
    return { from, to: target, names: wholeOf(members), also: [modes], members }
  })

/** An entry, ready to be sent. */
export const prepare = ({ also, from, names, to }: Planned): Effect.Effect<Sending, never, Scope.Scope> => archiveOf(from, to, names, also)

/** What the configuration has new VMs get: looked at before one is made. */
export const planEntries = (home: string, entries: ReadonlyArray<FileSync>) =>
  Effect.suspend(() => {
    const notes: Notes = []
    return Effect.map(Effect.forEach(entries, plan(home, notes)), (planned) => ({ planned: planned.filter((each) => each !== undefined), notes }))
  })

/** For a VM with such a work disk, in MiB; undefined: that of the configuration. */
export const planFileSync = (diskMib: number | undefined) =>
  Effect.gen(function*() {
    const { file_sync = [], vm_defaults } = yield* userConfig
    const entries = yield* planEntries(homedir(), file_sync)
    yield* mustFit({ members: entries.planned.flatMap(({ members }) => members), repositories: [] }, diskMib ?? vm_defaults?.disk_size ?? DEFAULT_DISK_MIB)
    return entries
  })

const sync = (vm: VmView, planned: ReadonlyArray<Planned>) =>
  // One after the other: of two for one place the later one counts.
  Effect.scoped(Effect.flatMap(Effect.forEach(planned, prepare), Effect.forEach((archive) => send(vm.vsock, [archive], () => {}), { discard: true }))).pipe(
    Effect.mapError((error) => new LocalFailure({ problem: `${vm.name} did not get the files of file_sync: ${error.message}`, fix: `[[file_sync]] in ${userConfigPath()} says which they are` }))
  )

/** The events of a VM that is created, which is done once it has these files. */
export const syncing = ({ notes, planned }: { readonly planned: ReadonlyArray<Planned>; readonly notes: ReadonlyArray<string> }) => <E, R>(events: Stream.Stream<Progress, E, R>) =>
  Stream.flatMap(events, (event) => {
    if (event._tag === "Planned") return Stream.make<Array<Progress>>(event, ...notes.map((message) => ({ _tag: "Note" as const, message })))
    if (event._tag !== "Finished" || planned.length === 0) return Stream.make(event)
    return Stream.concat(
      Stream.fromEffect(Effect.map(Effect.timed(sync(event.vm, planned)), ([took]): Progress => ({ _tag: "Step", step: "file_sync", ms: Duration.toMillis(took) }))),
      Stream.make<[Progress]>(event)
    )
  })
