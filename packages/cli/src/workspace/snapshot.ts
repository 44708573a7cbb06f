import { copyFile, mkdir, readFile, stat, utimes } from "node:fs/promises"
import type { BigIntStats } from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { LocalFailure } from "../failure/errors.ts"
import { withRoom } from "../host/staging.ts"
import { git, type GitFailed, records } from "./git.ts"
import { type Entry, type IndexFile, movedIndex, parseIndex } from "./index-file.ts"
import type { Repository } from "./repository.ts"
import { temporary } from "./temporary.ts"

/** A repository's index as it now is, in a file of ours, so that the repository is not written to. */
export interface Snapshot {
  readonly repository: Repository
  /** Where the files are. */
  readonly root: string
  /** None before the first `git add`. */
  readonly index: IndexFile | undefined
  /** Makes git look at our copy. */
  readonly env: Readonly<Record<string, string>>
  /** When it was made. Seconds. */
  readonly at: number
}

/** What a small file takes on a disk. */
const BLOCK = 4096

const now = () => Math.floor(Date.now() / 1000)

const reading = <A>(top: string, read: () => Promise<A>) =>
  Effect.tryPromise({ try: read, catch: (error) => new LocalFailure({ problem: `cannot read ${top}: ${(error as Error).message}`, fix: `git -C ${top} status` }) })

const parsed = (repository: Repository, file: string) =>
  reading(repository.top, async () => parseIndex(await readFile(file), repository.format === "sha256" ? 32 : 20))

/**
 * The index with each file compared: by its times where these tell, else by its content, through filters of the
 * user's but none of the repository's own.
 */
export const snapshotOf = (repository: Repository): Effect.Effect<Snapshot, GitFailed | LocalFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const { top } = repository
    const source = `${repository.gitDir}/index`
    const found = yield* Effect.promise(() => stat(source).catch(() => undefined))
    const directory = yield* temporary(3 * (found?.size ?? 0))
    const file = `${directory}/index`
    const env = { GIT_INDEX_FILE: file }
    const at = now()
    if (found === undefined) return { repository, root: top, index: undefined, env, at }
    yield* reading(top, async () => {
      await copyFile(source, file)
      // Files as young as the index are compared by content.
      await utimes(file, now(), Math.floor(found.mtimeMs / 1000))
    })
    yield* git(top, ["update-index", "-q", "--unmerged", "--index-version", "2", "--force-write-index", "--refresh"], { env, config: repository.disarmed, allow: [1] })
    return { repository, root: top, index: yield* parsed(repository, file), env, at }
  })

/** The files of a commit, checked out aside, with the index that they make; of a sparse work tree those that it would have. */
export const checkedOut = (repository: Repository, commit: string): Effect.Effect<Snapshot, GitFailed | LocalFailure, Scope.Scope> => {
  const { disarmed: config, gitDir, top } = repository
  const incomplete = new LocalFailure({ problem: `${top} has not all files of ${commit}`, fix: `git -C ${top} switch --detach ${commit} brings them` })
  return Effect.gen(function*() {
    const listed = (yield* git(top, ["rev-list", "--objects", "--missing=print", "--no-walk", commit])).toString("latin1").split("\n")
    const stdin = Buffer.from(listed.filter((line) => !line.startsWith("?")).join("\n"), "latin1")
    const sizes = (yield* git(top, ["cat-file", "--batch-check=%(objectsize) %(rest)"], { stdin })).toString("latin1").split("\n")
    const directory = yield* temporary(sizes.reduce((sum, line) => sum + BLOCK + (Number.parseInt(line, 10) || 0), 0))
    const root = `${directory}/files`
    const file = `${directory}/index`
    const env = { GIT_INDEX_FILE: file, GIT_DIR: gitDir, GIT_WORK_TREE: root }
    yield* reading(top, () => mkdir(root))
    yield* git(root, ["read-tree", "--reset", "-u", commit], { env, config }).pipe(withRoom(`cannot check out ${commit}`, 0, directory))
    // Nobody else writes there: all of it is older than the index that is sent.
    return { repository, root, index: yield* parsed(repository, file), env, at: now() + 1 }
    // git would fetch what is missing, and may not.
  }).pipe(Effect.mapError((error) => error._tag === "GitFailed" && repository.partial ? incomplete : error))
}

/**
 * The time that files of that second and later have in the guest. git compares by content what is as young as its index: so
 * they are older by a second than the one that is sent, and than any that git writes there in the very second of the look.
 */
export const youngest = (at: number): number => at - 1

/** The low 32 bits, as git keeps numbers. */
const word = (value: bigint) => Number(BigInt.asUintN(32, value))
const seconds = (ns: bigint) => ns / 1_000_000_000n

/** Whether a file was not touched since git saw it. */
const untouched = ({ stat }: Entry, file: BigIntStats) => {
  const same = ([s, ns]: readonly [number, number], time: bigint) => word(seconds(time)) === s && Number(time % 1_000_000_000n) === ns
  return same(stat.mtime, file.mtimeNs) && same(stat.ctime, file.ctimeNs) && stat.inode === word(file.ino)
}

/**
 * The index for the guest, where git is to know each file again that is unmodified here, by its time and size alone:
 * filters need not be there, and need not run. What is modified here differs there in size, or is compared there.
 */
export const indexFor = (snapshot: Snapshot, present: ReadonlyMap<Entry, BigIntStats>): Effect.Effect<Buffer | undefined, GitFailed> =>
  Effect.gen(function*() {
    const { at, index, repository } = snapshot
    if (index === undefined) return undefined
    const compared = index.entries.flatMap((entry) => {
      const file = present.get(entry)
      if (file === undefined || !file.isFile() || entry.stage !== 0 || entry.assumeUnchanged || entry.skipWorktree) return []
      const clean = untouched(entry, file) && entry.stat.size === word(file.size)
      // A file written this very second may be written again before it is sent.
      return [{ entry, file, clean, sure: clean && seconds(file.mtimeNs) < BigInt(at) }]
    })
    const filters = yield* filtersOf(snapshot, compared.filter(({ sure }) => !sure).map(({ entry }) => entry.path))
    const known = new Map(compared.flatMap(({ clean, entry, file, sure }) => {
      const filter = repository.filters.get(filters.get(entry.path.toString("latin1")) ?? "")
      const mtime = Math.min(Number(seconds(file.mtimeNs)), youngest(at))
      const size = word(file.size)
      if (sure || (clean && filter !== undefined)) return [[entry, { mtime, size }] as const]
      if (clean) return []
      // Without the filter its content differed, and git wrote down no size.
      if (filter?.untrusted === true && untouched(entry, file) && entry.stat.size === 0) return [[entry, { mtime, size }] as const]
      if (entry.stat.size !== 0 && entry.stat.size !== size) return [[entry, { mtime: 0, size: entry.stat.size }] as const]
      // The filter said here that it is modified, and may be missing there: a size that it never has says it, too.
      return filter === undefined || filter.untrusted ? [] : [[entry, { mtime: 0, size: size + 1 }] as const]
    }))
    return movedIndex(index, (entry) => known.get(entry))
  })

/** The filter of each path that has one. */
const filtersOf = ({ env, repository, root }: Snapshot, paths: ReadonlyArray<Buffer>) =>
  Effect.gen(function*() {
    if (paths.length === 0 || repository.filters.size === 0) return new Map<string, string>()
    const stdin = Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)]))
    const said = records(yield* git(root, ["check-attr", "-z", "--stdin", "filter"], { env, stdin })).map((field) => field.toString("latin1"))
    return new Map(said.flatMap((path, at) => at % 3 === 0 ? [[path, said[at + 2] ?? ""] as const] : []))
  })
