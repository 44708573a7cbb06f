import * as Effect from "effect/Effect"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { git, type GitFailed, gitLine } from "../workspace/git.ts"
import type { Repository } from "../workspace/repository.ts"

/** A branch of the host's repository that a VM's work goes to. */
export interface Branch {
  readonly name: string
  /** Absent when there is none of that name yet. */
  readonly tip: string | undefined
}

/** The branch, which no work tree may have checked out: its files would be left behind. */
export const openBranch = ({ top }: Repository, name: string): Effect.Effect<Branch, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    yield* Effect.mapError(git(top, ["check-ref-format", `refs/heads/${name}`]), () => new LocalFailure({ problem: `git takes no such name for a branch: ${name}`, fix: "--branch NAME names another" }))
    const said = yield* gitLine(top, ["for-each-ref", "--format=%(objectname) %(worktreepath)", `refs/heads/${name}`])
    const line = said.split("\n").find((line) => line !== "")
    if (line === undefined) return { name, tip: undefined }
    const [tip = "", ...path] = line.split(" ")
    if (path.join(" ") !== "") {
      return yield* new LocalFailure({ problem: `the branch ${name} is checked out in ${path.join(" ")}, whose files are left alone`, fix: "--branch NAME takes another; git merge then brings the work in" })
    }
    return { name, tip }
  })

const isAncestor = (top: string, one: string, of: string): Effect.Effect<boolean, GitFailed> =>
  Effect.map(gitLine(top, ["rev-list", "--count", "--max-count=1", one, "--not", of]), (count) => count === "0")

/** A trailer of commits that are a VM's uncommitted work, and its id. */
const TRAILER = "Banger-Work-Of"

/** Whether all that the branch has beyond a commit was put there by earlier pulls of uncommitted work: nobody else's is hidden by what follows it. */
const onlyEarlierWork = (top: string, { id }: VmView, tip: string, beyond: string) =>
  Effect.map(gitLine(top, ["log", `--format=%(trailers:key=${TRAILER},valueonly,separator=%x2C)`, tip, "--not", beyond]), (lines) => lines.split("\n").every((line) => line === id))

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
    return yield* gitLine(top, ["commit-tree", tree ?? (yield* treeAt(head)), ...parents.flatMap((parent) => ["-p", parent]), "-m", `Uncommitted work in ${vm.name}`, "-m", `${TRAILER}: ${vm.id}`], { config })
  })

/** Moves the branch, unless somebody else has meanwhile. No reflog is written, and no hook runs. */
export const moveBranch = ({ format, top }: Repository, { name, tip }: Branch, to: string): Effect.Effect<void, GitFailed> =>
  Effect.asVoid(git(top, ["update-ref", "--no-deref", `refs/heads/${name}`, to, tip ?? "0".repeat(format === "sha256" ? 64 : 40)], { config: ["core.logAllRefUpdates=false"] }))
