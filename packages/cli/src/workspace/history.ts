import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { git, type GitFailed, gitLine } from "./git.ts"

/** Settings by which git decides whether a file is modified: the guest must decide alike. */
const SETTINGS = ["core.autocrlf", "core.eol", "core.filemode", "core.symlinks"]
/** What git init finds out for itself on any file system that we would make it on. */
const FOUND_BY_INIT: Readonly<Record<string, string>> = { "core.filemode": "true", "core.symlinks": "true" }
const ORIGIN = "remote.origin.url"

const temporary: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(`${tmpdir()}/banger-history-`)),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }).catch(() => {}))
)

/** A remote's address may hold a password, which stays here. */
const withoutPassword = (url: string) => url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1")

/** What is to be taken over of the repository's configuration; the last value of a name counts. */
const configuration = (top: string) =>
  git(top, ["config", "--null", "--get-regexp", `^(${[...SETTINGS, ORIGIN].join("|").replaceAll(".", "\\.")})$`]).pipe(
    Effect.map((output) => new Map(output.toString("utf8").split("\0").filter((entry) => entry.includes("\n")).map((entry) => {
      const end = entry.indexOf("\n")
      return [entry.slice(0, end), entry.slice(end + 1)]
    }))),
    // Its status says that there is nothing of the kind.
    Effect.orElseSucceed(() => new Map<string, string>())
  )

const optionally = (call: Effect.Effect<string, GitFailed>) => Effect.map(Effect.option(call), Option.filter((line) => line !== ""))

/**
 * A directory with a `.git` alone: the one commit that HEAD names, on the same branch, no hooks, and an index that is
 * that commit. With the files beside it `git status` says in the guest what it says here. `from`: another commit than
 * HEAD's, with its files.
 */
export const shallowHistory = (
  top: string,
  sparse: ReadonlyArray<Buffer>,
  branch: string | undefined,
  from: string | undefined
): Effect.Effect<string, GitFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const directory = yield* temporary
    const format = yield* optionally(gitLine(top, ["rev-parse", "--show-object-format"]))
    const head = yield* optionally(gitLine(top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]))
    const onto = branch === undefined ? yield* optionally(gitLine(top, ["symbolic-ref", "--quiet", "HEAD"])) : Option.some(`refs/heads/${branch}`)
    yield* git(directory, ["init", "--quiet", "--template=", ...Option.toArray(Option.map(format, (name) => `--object-format=${name}`))])
    if (Option.isSome(onto)) yield* git(directory, ["symbolic-ref", "HEAD", onto.value])
    const configured = yield* configuration(top)
    for (const setting of SETTINGS) {
      const value = configured.get(setting)
      if (value !== undefined && value !== FOUND_BY_INIT[setting]) yield* git(directory, ["config", setting, value])
    }
    const origin = configured.get(ORIGIN)
    if (origin !== undefined) yield* git(directory, ["remote", "add", "origin", withoutPassword(origin)])
    if (Option.isNone(head)) return directory
    yield* git(directory, ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", top, from ?? "HEAD"])
    const commit = yield* gitLine(directory, ["rev-parse", "FETCH_HEAD"])
    yield* git(directory, ["update-ref", "--no-deref", Option.getOrElse(onto, () => "HEAD"), commit])
    yield* Effect.promise(() => rm(`${directory}/.git/FETCH_HEAD`, { force: true }))
    yield* git(directory, from === undefined ? ["read-tree", "HEAD"] : ["read-tree", "--reset", "-u", "HEAD"])
    if (sparse.length > 0) {
      yield* git(directory, ["update-index", "-z", "--skip-worktree", "--stdin"], Buffer.concat(sparse.flatMap((path) => [path, Buffer.of(0)])))
    }
    return directory
  })
