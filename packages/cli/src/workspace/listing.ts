import { lstatSync } from "node:fs"
import * as Effect from "effect/Effect"
import { git, type GitFailed } from "./git.ts"

/** A member of the workspace, relative to its top. A name is bytes: git and Linux do not ask for text. */
export interface Member {
  readonly path: Buffer
  readonly kind: "file" | "symlink" | "directory"
  readonly mode: number
  readonly bytes: number
}

export interface Listing {
  readonly members: ReadonlyArray<Member>
  /** Tracked, but left out of the work tree on purpose (sparse checkout). */
  readonly sparse: ReadonlyArray<Buffer>
}

interface Tracked {
  readonly path: Buffer
  readonly submodule: boolean
  readonly sparse: boolean
}

const records = (output: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  for (let from = 0; from < output.length;) {
    const to = output.indexOf(0, from)
    found.push(output.subarray(from, to))
    from = to + 1
  }
  return found
}

/** `H 100644 <object> <stage>\t<path>`. */
const tracked = (record: Buffer): Tracked => {
  const tab = record.indexOf("\t")
  const head = record.toString("latin1", 0, tab)
  return { path: record.subarray(tab + 1), submodule: head.slice(2, 8) === "160000", sparse: head.startsWith("S") }
}

/** An index is a file like any other: one that is not trusted could hold names that lead out of the work tree. */
const leadsAstray = (path: Buffer) =>
  path.length === 0 || path.toString("latin1").split("/").some((part) => part === "" || part === "." || part === ".." || part.toLowerCase() === ".git")

const join = (...parts: ReadonlyArray<Buffer>) =>
  Buffer.concat(parts.flatMap((part, index) => index === 0 ? [part] : [Buffer.from("/"), part]))

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

/** What stands at a path now; nothing when it is deleted, or has become something that git does not track. */
const present = (top: Buffer, path: Buffer, submodule: boolean): Member | undefined => {
  const stat = lstatSync(join(top, path), { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  const mode = stat.mode & 0o7777
  if (submodule) return stat.isDirectory() ? { path, kind: "directory", mode, bytes: 0 } : undefined
  if (stat.isSymbolicLink()) return { path, kind: "symlink", mode, bytes: 0 }
  return stat.isFile() ? { path, kind: "file", mode, bytes: stat.size } : undefined
}

/** `100755 blob <object> <size>\t<path>`. */
const committed = (record: Buffer): Member => {
  const tab = record.indexOf("\t")
  const [mode = "", , , size = ""] = record.toString("latin1", 0, tab).split(/ +/)
  const path = record.subarray(tab + 1)
  if (mode === "160000") return { path, kind: "directory", mode: 0o755, bytes: 0 }
  if (mode === "120000") return { path, kind: "symlink", mode: 0o777, bytes: 0 }
  return { path, kind: "file", mode: mode === "100755" ? 0o755 : 0o644, bytes: Number(size) }
}

/** What a commit holds. */
export const listCommit = (top: string, commit: string): Effect.Effect<Listing, GitFailed> =>
  Effect.map(git(top, ["ls-tree", "-r", "-l", "-z", "--full-tree", commit]), (output) => ({ members: records(output).map(committed), sparse: [] }))

/** What git knows of a work tree as it now is on disk, with the files of its submodules. */
export const list = (top: string, includeUntracked: boolean): Effect.Effect<Listing, GitFailed> =>
  Effect.gen(function*() {
    const root = Buffer.from(top)
    const index = records(yield* git(top, ["ls-files", "-z", "-t", "--stage"])).map(tracked)
    const others = includeUntracked ? records(yield* git(top, ["ls-files", "-z", "--others", "--exclude-standard"])) : []
    const plain = plainDirectories(root)
    const seen = new Set<string>()
    const members: Array<Member> = []
    // A name that ends with a slash is a repository within, not a submodule: its files are its own.
    const untracked = others.filter((path) => path[path.length - 1] !== 0x2f).map((path) => ({ path, submodule: false, sparse: false }))
    for (const { path, submodule } of [...index, ...untracked]) {
      const key = path.toString("latin1")
      // A path in conflict stands in the index once for each side.
      if (seen.has(key) || leadsAstray(path) || !plain(path)) continue
      seen.add(key)
      const member = present(root, path, submodule)
      if (member === undefined) continue
      members.push(member)
      if (!submodule) continue
      const within = `${top}/${path.toString("utf8")}`
      // Without a .git of its own it is not checked out, and git would answer for the repository around it.
      if (lstatSync(`${within}/.git`, { throwIfNoEntry: false }) === undefined) continue
      const inner = yield* list(within, includeUntracked)
      members.push(...inner.members.map((found) => ({ ...found, path: join(path, found.path) })))
    }
    return { members, sparse: index.filter(({ sparse }) => sparse).map(({ path }) => path) }
  })
