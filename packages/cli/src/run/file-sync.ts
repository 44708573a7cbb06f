import { lstatSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { basename, dirname, normalize } from "node:path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { BadConfig, type FileSync } from "@banger/domain/config.ts"
import { DEFAULT_DISK_MIB } from "@banger/domain/vm.ts"
import type { Progress } from "@banger/domain/progress.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { say } from "../output/text.ts"
import { type Directory, planDirectory, prepareDirectory, seconds } from "../workspace/directory.ts"
import { type Member, readable, shown } from "../workspace/listing.ts"
import { tar } from "../workspace/tar.ts"
import { type Sending, send } from "../workspace/workspace.ts"
import { userConfig, userConfigPath } from "./user-config.ts"
import { mustFit } from "./work-disk.ts"

/** What a new VM gets of one entry: a directory, or a file under the name that it has in the guest. */
export type Planned = { readonly mode: string; readonly members: ReadonlyArray<Member> } & ({ readonly directory: Directory } | { readonly file: string; readonly target: string })

const DEFAULT_MODE = "600"

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
const plan = (ownHome: string) => ({ guest, host, mode = DEFAULT_MODE }: FileSync) =>
  Effect.gen(function*() {
    const home = realpathSync(ownHome)
    const target = below("/root", guest)
    const from = yield* Effect.try({ try: () => realpathSync(below(ownHome, host)), catch: (error) => error as NodeJS.ErrnoException }).pipe(
      Effect.catchIf(({ code }) => code === "ENOENT", () => Effect.as(say(`file_sync: there is no ${host}, so VMs do not get it`), undefined)),
      Effect.mapError(({ message }) => new BadConfig({ path: userConfigPath(), problem: `file_sync: ${message}` }))
    )
    if (from === undefined) return undefined
    if (!from.startsWith(`${home}/`)) return yield* new BadConfig({ path: userConfigPath(), problem: `file_sync: ${host} leads to ${from}, which is not in your home` })
    const stat = lstatSync(from)
    if (stat.isFile()) {
      if (!readable(Buffer.from(from), lstatSync(from, { bigint: true }))) return yield* new BadConfig({ path: userConfigPath(), problem: `file_sync: ${host} may not be read` })
      return { mode, file: from, target, members: [{ path: Buffer.from(basename(from)), kind: "file" as const, mode: 0, bytes: stat.size }] }
    }
    if (!stat.isDirectory()) return yield* new BadConfig({ path: userConfigPath(), problem: `file_sync: ${host} is neither a file nor a directory` })
    const { members } = yield* planDirectory({ from, name: undefined })
    const links = members.filter(({ kind }) => kind === "symlink")
    if (links.length > 0) yield* say(`file_sync: left out of ${host}, as links: ${links.map(({ path }) => shown(path)).join(", ")}`)
    const sent = members.filter(({ kind }) => kind !== "symlink")
    return { mode, directory: { from, target, members: sent, bytes: 0 }, members: sent }
  })

/** An entry, ready to be sent. */
export const prepare = (planned: Planned): Effect.Effect<Sending, never, Scope.Scope> => {
  const mode = `--mode=${modeFor(planned.mode)}`
  if ("directory" in planned) return prepareDirectory(planned.directory, [mode])
  return Effect.gen(function*() {
    const begin = yield* tar(dirname(planned.file), yield* seconds, [mode, `--transform=s,.*,${replacement(basename(planned.target))},`])
    return { to: dirname(planned.target), read: (told) => begin([Buffer.from(basename(planned.file))], told) } satisfies Sending
  })
}

/** What the configuration has new VMs get: looked at before one is made. */
export const planEntries = (home: string, entries: ReadonlyArray<FileSync>) =>
  Effect.map(Effect.forEach(entries, plan(home)), (planned) => planned.filter((each) => each !== undefined))

/** For a VM with such a work disk, in MiB; undefined: that of the configuration. */
export const planFileSync = (diskMib: number | undefined) =>
  Effect.gen(function*() {
    const { file_sync = [], vm_defaults } = yield* userConfig
    const planned = yield* planEntries(homedir(), file_sync)
    yield* mustFit({ members: planned.flatMap(({ members }) => members), repositories: [] }, diskMib ?? vm_defaults?.disk_size ?? DEFAULT_DISK_MIB)
    return planned
  })

const sync = (vm: VmView, planned: ReadonlyArray<Planned>) =>
  // One after the other: of two for one place the later one counts.
  Effect.scoped(Effect.flatMap(Effect.forEach(planned, prepare), Effect.forEach((archive) => send(vm.vsock, [archive], () => {}), { discard: true }))).pipe(
    Effect.mapError((error) => new LocalFailure({ problem: `${vm.name} did not get the files of file_sync: ${error.message}`, fix: `[[file_sync]] in ${userConfigPath()} says which they are` }))
  )

/** The events of a VM that is created, which is done once it has these files. */
export const syncing = (planned: ReadonlyArray<Planned>) => <E, R>(events: Stream.Stream<Progress, E, R>) =>
  planned.length === 0 ? events : Stream.flatMap(events, (event) =>
    event._tag !== "Finished"
      ? Stream.make(event)
      : Stream.concat(
        Stream.fromEffect(Effect.map(Effect.timed(sync(event.vm, planned)), ([took]): Progress => ({ _tag: "Step", step: "file_sync", ms: Duration.toMillis(took) }))),
        Stream.make<[Progress]>(event)
      ))
