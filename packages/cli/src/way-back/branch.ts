import * as Effect from "effect/Effect"
import { printable } from "@banger/domain/printable.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { git, type GitFailed, gitLine, records } from "../workspace/git.ts"
import type { Repository } from "../workspace/repository.ts"

/** A branch of the host's repository that a VM's work goes to. */
export interface Branch {
  readonly name: string
  /** Absent when there is none of that name yet. */
  readonly tip: string | undefined
}

/** The branch, which no work tree may have checked out, be it before the first commit: its files would be left behind. */
export const openBranch = ({ top }: Repository, name: string): Effect.Effect<Branch, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    yield* Effect.mapError(Effect.all([git(top, ["check-ref-format", `refs/heads/${name}`]), git(top, ["check-ref-format", "--branch", name])]), () => new LocalFailure({ problem: `git takes no such name for a branch: ${name}`, fix: "--branch NAME names another" }))
    const ref = `refs/heads/${name}`
    const records = (yield* gitLine(top, ["worktree", "list", "--porcelain"])).split("\n\n").map((record) => record.split("\n"))
    const holder = records.find((lines) => lines.includes(`branch ${ref}`))
    if (holder !== undefined) {
      return yield* new LocalFailure({ problem: `the branch ${name} is checked out in ${holder[0]?.slice("worktree ".length)}, whose files are left alone`, fix: "--branch NAME takes another; git merge then brings the work in" })
    }
    // A name is a file, or a directory of such: of these only one can be.
    const above = name.split("/").slice(0, -1).map((_, at, parts) => `refs/heads/${parts.slice(0, at + 1).join("/")}`)
    const refs = (yield* gitLine(top, ["for-each-ref", "--format=%(objectname) %(refname)", ref, ...above])).split("\n").map((line) => line.split(" "))
    const other = refs.find(([, found = ""]) => found.startsWith(`${ref}/`) || above.includes(found))?.[1]
    if (other !== undefined) return yield* new LocalFailure({ problem: `there can be no branch ${name} beside the branch ${other.slice("refs/heads/".length)}`, fix: "--branch NAME names another" })
    return { name, tip: refs.find(([, found]) => found === ref)?.[0] }
  })

/** Whether all that one commit's history has is in another's. */
export const isAncestor = (top: string, one: string, of: string): Effect.Effect<boolean, GitFailed> =>
  Effect.map(gitLine(top, ["rev-list", "--count", "--max-count=1", one, "--not", of]), (count) => count === "0")

/** Directories that are repositories of their own in a tree and were none in another, so that only a commit's name of each came along. */
export const repositoriesIn = ({ top }: Repository, tree: string, before: string): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.map(git(top, ["diff-tree", "-r", "-z", "--raw", "--no-renames", before, tree]), (said) => {
    const fields = records(said)
    // `:000000 160000 ID ID A`, then the name.
    return fields.flatMap((field, at) => /^:\d+ 160000 \w+ \w+ [AT]$/.test(field.toString("latin1")) ? [printable(fields[at + 1]?.toString("latin1") ?? "")] : [])
  })

/** A trailer of commits that are a VM's uncommitted work: its id, and the commit's tree, so that one which was amended is none of these. */
const TRAILER = "Banger-Work-Of"

/** Whether all that the branch has beyond a commit was put there by earlier pulls of uncommitted work: nobody else's is hidden by what follows it. */
const onlyEarlierWork = (top: string, { id }: VmView, tip: string, beyond: string) =>
  Effect.map(gitLine(top, ["log", `--format=%T %(trailers:key=${TRAILER},valueonly,separator=%x2C)`, tip, "--not", beyond]), (lines) => lines.split("\n").every((line) => line.slice(line.indexOf(" ")) === ` ${id} ${line.slice(0, line.indexOf(" "))}`))

/**
 * What the branch is to become: the guest's HEAD, or with its uncommitted work a commit on top of it. The branch's own commits
 * stay part of its history, or the branch is left as it is.
 */
export const nextTip = ({ top }: Repository, vm: VmView, { name, tip }: Branch, head: string, tree: string | undefined) =>
  Effect.gen(function*() {
    const treeAt = (rev: string) => gitLine(top, ["rev-parse", "--verify", `${rev}^{tree}`])
    const behind = tip === undefined || (yield* isAncestor(top, tip, head))
    if (!behind && !(yield* onlyEarlierWork(top, vm, tip, head))) {
      return yield* new LocalFailure({
        problem: `the branch ${name} has commits that ${vm.name} has not`,
        fix: `--branch NAME takes another; git log ${head.slice(0, 12)}..${name} shows them`
      })
    }
    // What the branch has of the guest's work so far: HEAD's commits, or earlier uncommitted work on top of them.
    const latest = behind ? head : (yield* isAncestor(top, head, tip)) ? tip : undefined
    if (latest !== undefined && (tree === undefined || tree === (yield* treeAt(latest)))) return latest
    const parents = latest !== undefined ? [latest] : [head, ...(tip === undefined ? [] : [tip])]
    const given = yield* Effect.isSuccess(gitLine(top, ["var", "GIT_COMMITTER_IDENT"]))
    const config = given ? [] : ["user.name=banger", "user.email=banger@localhost"]
    const content = tree ?? (yield* treeAt(head))
    return yield* gitLine(top, ["commit-tree", content, ...parents.flatMap((parent) => ["-p", parent]), "-m", tree === undefined ? `Work in ${vm.name}` : `Uncommitted work in ${vm.name}`, "-m", `${TRAILER}: ${vm.id} ${content}`], { config })
  })

/** Moves the branch, unless somebody else has meanwhile. A reflog is not begun for it, and no hook runs. */
export const moveBranch = ({ format, top }: Repository, { name, tip }: Branch, to: string): Effect.Effect<void, LocalFailure> =>
  git(top, ["update-ref", "--no-deref", `refs/heads/${name}`, to, tip ?? "0".repeat(format === "sha256" ? 64 : 40)], { config: ["core.logAllRefUpdates=false"] }).pipe(
    Effect.mapError(({ problem }) => new LocalFailure({ problem: `cannot move the branch ${name}: ${problem}`, fix: "another pull, or somebody else, may have moved it meanwhile: the same command again looks anew" })),
    Effect.asVoid
  )
