import { existsSync, lstatSync } from "node:fs"
import { copyFile, mkdir, writeFile } from "node:fs/promises"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import type { LocalFailure } from "../failure/errors.ts"
import { borrowing, git, type GitFailed, gitLine, records } from "./git.ts"
import { join, type Member } from "./listing.ts"
import type { Repository } from "./repository.ts"
import { writingAside } from "./temporary.ts"

/**
 * The file of the guest's repository that names the commit which is what was sent. git reads such a file as it does ORIG_HEAD and
 * lists it with no refs, so that `git log --all` says there what it says here.
 */
export const SENT = "BANGER_SENT"

/** Bytes of files which are no part of HEAD, above which these are not put into a commit, as that would cost more than sending them. */
const MOST = 100 << 20

/** The files that are sent. */
export interface WorkFiles {
  /** Where they are. */
  readonly root: string
  /** Makes git look at our copy of the index. */
  readonly env: Readonly<Record<string, string>>
  readonly members: ReadonlyArray<Member>
  /** Those of them that git does not know. */
  readonly untracked: ReadonlyArray<Buffer>
}

const bytesOf = (root: string, names: ReadonlyArray<Buffer>) =>
  names.reduce((sum, name) => sum + (lstatSync(join(Buffer.from(root), name), { throwIfNoEntry: false })?.size ?? 0), 0)

/** Nobody's in particular, and the same for the same files. */
const identity = (at: number) => {
  const [name, email, date] = ["banger", "banger@localhost", `@${at} +0000`]
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: date, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email, GIT_COMMITTER_DATE: date }
}

/**
 * The commit that is what was sent: HEAD's own, or where files differ from it one on top, whose objects go into `gitDir`, a
 * repository in the making. Absent where nothing is committed and nothing is there to commit.
 */
const made = (
  { commonDir, disarmed, top }: Repository,
  head: string | undefined,
  { env, members, root, untracked }: WorkFiles,
  at: number,
  gitDir: string
): Effect.Effect<string | undefined, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    const source = env["GIT_INDEX_FILE"]
    if (source === undefined) return head
    const [modified, unmerged, staged] = yield* Effect.all([
      git(root, ["ls-files", "-z", "--modified"], { env, config: disarmed }),
      git(root, ["ls-files", "-z", "--unmerged"], { env, config: disarmed }),
      head === undefined ? Effect.succeed(true) : Effect.map(gitLine(root, ["diff-index", "--cached", "--name-only", "--ignore-submodules=none", head, "--"], { env, config: disarmed }), (names) => names !== "")
    ], { concurrency: "unbounded" })
    const sent = new Set(members.map(({ path }) => path.toString("latin1")))
    // git calls modified what is not there, too, and what stands behind a link that took a directory's place.
    // A file in conflict is none of these where it is as one side has it, and has to be replaced in the index all the same.
    const conflicts = records(unmerged).map((record) => record.subarray(record.indexOf("\t") + 1))
    const [there, gone] = Array.partition([...records(modified), ...conflicts], (name) => !sent.has(name.toString("latin1")))
    const names = [...there, ...untracked]
    if ((!staged && names.length + gone.length === 0) || bytesOf(root, names) > MOST) return head
    const index = `${source}.sent`
    const objects = `${source}.objects`
    yield* writingAside(async () => {
      for (const directory of [objects, `${gitDir}/objects/pack`]) await mkdir(directory, { recursive: true })
      if (existsSync(source)) await copyFile(source, index)
    })
    const inside = { ...env, GIT_INDEX_FILE: index, ...borrowing(objects, `${commonDir}/objects`) }
    const update = (how: string, names: ReadonlyArray<Buffer>) =>
      names.length === 0 ? Effect.void : git(root, ["update-index", "-z", how, "--stdin"], { env: inside, config: [...disarmed, "core.safecrlf=false"], stdin: Buffer.concat(names.flatMap((name) => [name, Buffer.of(0)])) })
    yield* update("--force-remove", gone)
    yield* update("--add", names)
    // What writes an index may compare files once more, through their filters: none of the repository's own.
    // Objects that a partial clone lacks are those of files that are not here.
    const tree = yield* gitLine(root, ["write-tree", "--missing-ok"], { env: inside, config: disarmed })
    const commit = yield* gitLine(top, ["commit-tree", tree, ...(head === undefined ? [] : ["-p", head]), "-m", "As it was sent"], { env: { ...inside, ...identity(at) } })
    // git writes no object that the host has, be it one that only another branch or a stash refers to.
    const wanted = [commit, ...(head === undefined ? [] : [`^${head}`])]
    const pack = yield* gitLine(top, ["pack-objects", "--revs", "-q", "--missing=allow-any", `${gitDir}/objects/pack/pack`], { env: inside, config: ["pack.packSizeLimit=0"], stdin: Buffer.from(wanted.map((id) => `${id}\n`).join("")) })
    // No ref names the commit, and git drops what none names, but in a pack that is to be kept.
    yield* writingAside(() => writeFile(`${gitDir}/objects/pack/pack-${pack}.keep`, ""))
    return commit
  })

/** The commit that is what was sent; HEAD where git cannot take a file, because its filter is not there, say. The files are sent either way. */
export const sentCommit = (repository: Repository, head: string | undefined, work: WorkFiles, at: number, gitDir: string): Effect.Effect<string | undefined, LocalFailure> =>
  Effect.catchTag(made(repository, head, work, at, gitDir), "GitFailed", () => Effect.succeed(head))
