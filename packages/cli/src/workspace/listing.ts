import { accessSync, type BigIntStats, constants, lstatSync } from "node:fs"
import * as Effect from "effect/Effect"
import { LocalFailure } from "../failure/errors.ts"
import { git, type GitFailed, records } from "./git.ts"
import { type Entry, GITLINK } from "./index-file.ts"
import type { Snapshot } from "./snapshot.ts"

/** A member of the workspace, relative to its top. A name is bytes: git and Linux do not ask for text. */
export interface Member {
  readonly path: Buffer
  readonly kind: "file" | "symlink" | "directory"
  readonly mode: number
  readonly bytes: number
}

export interface Listing {
  readonly members: ReadonlyArray<Member>
  /** What stands where the index has a file. */
  readonly present: ReadonlyMap<Entry, BigIntStats>
  readonly submodules: ReadonlyArray<Buffer>
  /** Those of the members that git does not know. */
  readonly untracked: ReadonlyArray<Buffer>
}

/** An index is a file like any other: one that is not trusted could hold names that lead out of the work tree. */
export const leadsAstray = (path: Buffer) =>
  path.length === 0 || path.toString("latin1").split("/").some((part) => part === "" || part === "." || part === ".." || part.toLowerCase() === ".git")

export const join = (...parts: ReadonlyArray<Buffer>) =>
  Buffer.concat(parts.flatMap((part, index) => index === 0 ? [part] : [Buffer.from("/"), part]))

export const shown = (path: Buffer) => JSON.stringify(path.toString("utf8"))

/** Whether a directory of the work tree is reached without any symlink on the way; git takes the rest for deleted. */
const plainDirectories = (top: Buffer) => {
  const known = new Map<string, boolean>([["", true]])
  const plain = (directory: string): boolean => {
    const answer = known.get(directory) ?? (
      plain(directory.slice(0, Math.max(0, directory.lastIndexOf("/")))) &&
      lstatSync(join(top, Buffer.from(directory, "latin1")), { throwIfNoEntry: false })?.isDirectory() === true)
    known.set(directory, answer)
    return answer
  }
  return (path: Buffer) => plain(path.toString("latin1", 0, Math.max(0, path.lastIndexOf("/"))))
}

/** Whether this process may read a file. Asked of the kernel only where the file's mode does not tell. */
export const readable = (path: Buffer, stat: BigIntStats) => {
  if (stat.uid === BigInt(process.geteuid?.() ?? -1) && (stat.mode & 0o400n) !== 0n) return true
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** What git knows of a work tree as it now is on disk. Throws what the user must hear. */
const look = (root: Buffer, index: ReadonlyArray<Entry>, untracked: ReadonlyArray<Buffer>): Listing => {
  const plain = plainDirectories(root)
  const seen = new Set<string>()
  const members: Array<Member> = []
  const present = new Map<Entry, BigIntStats>()
  const submodules: Array<Buffer> = []
  const take = (path: Buffer, submodule: boolean): BigIntStats | undefined => {
    if (leadsAstray(path)) throw new Error(`its index has the name ${shown(path)}, which leads out of it`)
    const key = path.toString("latin1")
    // A path in conflict stands in the index once for each side.
    if (seen.has(key) || !plain(path)) return undefined
    seen.add(key)
    const at = join(root, path)
    const stat = lstatSync(at, { throwIfNoEntry: false, bigint: true })
    if (stat === undefined) return undefined
    const mode = Number(stat.mode & 0o7777n)
    if (submodule) {
      // The directory of a submodule, not what stands in its place.
      if (!stat.isDirectory()) return undefined
      members.push({ path, kind: "directory", mode, bytes: 0 })
      submodules.push(path)
    } else if (stat.isSymbolicLink()) {
      members.push({ path, kind: "symlink", mode, bytes: 0 })
    } else if (stat.isFile()) {
      if (!readable(at, stat)) throw new Error(`${shown(path)} may not be read`)
      members.push({ path, kind: "file", mode, bytes: Number(stat.size) })
    }
    return stat
  }
  for (const entry of index) {
    const stat = take(entry.path, entry.mode === GITLINK)
    if (stat !== undefined) present.set(entry, stat)
  }
  for (const path of untracked) take(path, false)
  return { members, present, submodules, untracked }
}

export const list = ({ env, index, repository, root }: Snapshot, includeUntracked: boolean): Effect.Effect<Listing, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    const others = includeUntracked ? records(yield* git(root, ["ls-files", "-z", "--others", "--exclude-standard"], { env })) : []
    // A name that ends with a slash is a repository within, not a submodule: its files are its own.
    const untracked = others.filter((path) => path[path.length - 1] !== 0x2f && !leadsAstray(path))
    return yield* Effect.try({
      try: () => look(Buffer.from(root), index?.entries ?? [], untracked),
      catch: (error) => new LocalFailure({
        problem: `cannot send ${repository.top}: ${(error as Error).message}`,
        fix: `git -C ${repository.top} status; ls -l shows who may read what`
      })
    })
  })
