import { PassThrough } from "node:stream"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { HistoryMode } from "@banger/domain/config.ts"
import type { LocalFailure } from "../failure/errors.ts"
import { git, GitFailed, gitLine, gitLines, gitStream } from "./git.ts"
import type { Repository } from "./repository.ts"

/** Bytes up to which `auto` sends all of the history. */
const WHOLE = 100 << 20

/** Those that HEAD's history has cost no object more, and git names commits by them. */
const REACHED = ["refs/tags", "refs/remotes"]

export interface Ref {
  readonly name: string
  readonly id: string
}

/** What of a repository's history is sent; decided, and known to be there, before a VM is made. */
export interface History {
  readonly mode: "shallow" | "full"
  /** Absent before the first commit. */
  readonly head: string | undefined
  /** The branch's full name; absent when HEAD is detached. */
  readonly branch: string | undefined
  readonly refs: ReadonlyArray<Ref>
  /** Commits whose parents stay away. */
  readonly shallow: ReadonlyArray<string>
  /** A line for each object: its id, and where it is found. */
  readonly objects: Buffer
  /** What the objects take on the disk here. */
  readonly bytes: number
}

/** The content of an empty file, in either format: git knows it without having it. */
const EMPTY = new Set(["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"])

interface Measured {
  readonly objects: Buffer
  readonly bytes: number
}

const optionally = (call: Effect.Effect<string, GitFailed>) => Effect.map(Effect.option(call), Option.filter((line) => line !== ""))

/** The objects that the commits reach, and the index; nothing when they take more than the limit. */
const measure = (
  { partial, top }: Repository,
  env: Readonly<Record<string, string>>,
  from: ReadonlyArray<string>,
  walk: boolean,
  limit: number
): Effect.Effect<Measured | undefined, GitFailed> =>
  Effect.gen(function*() {
    const lines: Array<Buffer> = []
    const asked = new PassThrough()
    let bytes = 0
    const listing = gitStream(top, ["rev-list", "--objects", "--missing=print", "--indexed-objects", ...(walk ? [] : ["--no-walk=unsorted"]), "--stdin"], {
      env, stdin: Buffer.from(from.map((id) => `${id}\n`).join(""))
    }, (chunk) => {
      lines.push(chunk)
      asked.write(chunk)
      return bytes <= limit
    }).pipe(Effect.ensuring(Effect.sync(() => asked.end())))
    // The rest of a line is the path; only a format that names it has git read the id alone.
    const weighing = gitLines(top, ["cat-file", "--batch-check=%(objectsize:disk) %(rest)"], { env, stdin: asked }, (line) => {
      bytes += Number.parseInt(line, 10) || 0
      return bytes <= limit
    })
    yield* Effect.all([listing, weighing], { concurrency: 2, discard: true })
    if (bytes > limit) return undefined
    const all = Buffer.concat(lines)
    // Missing objects come last.
    const missing = all[0] === 0x3f ? 0 : all.indexOf("\n?") + 1
    if (missing === 0 && all[0] !== 0x3f) return { objects: all, bytes }
    const id = partial ? undefined : all.toString("latin1", missing).split("\n").map((line) => line.slice(1)).find((line) => line !== "" && !EMPTY.has(line))
    if (id !== undefined) {
      return yield* new GitFailed({ command: "rev-list", problem: `object ${id} is missing`, fix: `git -C ${top} fsck says more` })
    }
    return { objects: all.subarray(0, missing), bytes }
  })

const refs = (top: string, ...which: ReadonlyArray<string>) =>
  Effect.map(git(top, ["for-each-ref", "--format=%(objectname) %(refname)", ...which]), (output) =>
    output.toString("latin1").split("\n").filter((line) => line !== "").map((line): Ref => {
      const space = line.indexOf(" ")
      return { id: line.slice(0, space), name: line.slice(space + 1) }
    }))

const commitOf = (top: string, name: string) => optionally(gitLine(top, ["rev-parse", "--verify", "--quiet", `${name}^{commit}`])).pipe(Effect.map(Option.getOrUndefined))

/** Commits whose parents this repository does not have itself. */
const ownShallow = (read: (name: string) => string | undefined) => (read("shallow") ?? "").split("\n").filter((line) => line !== "")

export interface Wanted {
  readonly mode: HistoryMode
  /** Another commit than HEAD's. */
  readonly from?: string | undefined
  /** Begin this branch at it. */
  readonly branch?: string | undefined
  /** A commit that must come along, if it is there: the one which the repository around a submodule names. */
  readonly besides?: string | undefined
}

/** `env` names the index whose objects come along; `read` gives a file of the repository's directory. */
export const planHistory = (
  repository: Repository,
  env: Readonly<Record<string, string>>,
  wanted: Wanted,
  read: (name: string) => string | undefined
): Effect.Effect<History, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    const { top } = repository
    const [head, own] = wanted.from === undefined
      ? yield* Effect.all([commitOf(top, "HEAD"), optionally(gitLine(top, ["symbolic-ref", "--quiet", "HEAD"])).pipe(Effect.map(Option.getOrUndefined))], { concurrency: "unbounded" })
      : [wanted.from, undefined]
    const branch = wanted.branch === undefined ? own : `refs/heads/${wanted.branch}`
    const begins = head === undefined || branch === undefined ? [] : [{ name: branch, id: head }]
    if (head === undefined) {
      const staged = yield* measure(repository, env, [], true, Infinity)
      return { mode: "full", head, branch, refs: [], shallow: [], objects: staged?.objects ?? Buffer.alloc(0), bytes: staged?.bytes ?? 0 }
    }
    const besides = wanted.besides === undefined ? undefined : yield* commitOf(top, wanted.besides)
    const roots = [head, ...(besides === undefined ? [] : [besides])]
    const whole = wanted.mode === "shallow" ? undefined : yield* Effect.gen(function*() {
      const upstream = own === undefined || branch !== own ? Effect.succeed("") : gitLine(top, ["for-each-ref", "--format=%(upstream)", own])
      const [reached, ...others] = yield* Effect.all([
        refs(top, `--merged=${head}`, ...REACHED, ...(wanted.branch === undefined ? ["refs/heads"] : [])),
        refs(top, "refs/replace"),
        Effect.flatMap(upstream, (name) => name === "" ? Effect.succeed([]) : refs(top, name))
      ], { concurrency: "unbounded" })
      const along = [...reached.filter(({ name }) => name !== branch && !name.endsWith("/HEAD")), ...others.flat()]
      const measured = yield* measure(repository, env, [...roots, ...along.map(({ id }) => id)], true, wanted.mode === "full" ? Infinity : WHOLE)
      return measured && { mode: "full" as const, head, branch, refs: [...begins, ...new Map(along.map((ref) => [ref.name, ref])).values()], shallow: ownShallow(read), ...measured }
    })
    if (whole !== undefined) return whole
    const tags = yield* refs(top, `--points-at=${head}`, "refs/tags")
    const measured = yield* measure(repository, env, [...roots, ...tags.map(({ id }) => id)], false, Infinity)
    return { mode: "shallow", head, branch, refs: [...begins, ...tags], shallow: roots, objects: measured?.objects ?? Buffer.alloc(0), bytes: measured?.bytes ?? 0 }
  })
