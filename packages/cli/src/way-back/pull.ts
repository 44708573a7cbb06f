import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { say } from "../output/text.ts"
import { gitLine } from "../workspace/git.ts"
import type { Repository } from "../workspace/repository.ts"
import { isAncestor, moveBranch, nextTip, openBranch, repositoriesIn } from "./branch.ts"
import { type GuestPlace, inGuest, MARK } from "./in-guest.ts"
import { known, look, receive } from "./receive.ts"

/** Bytes that a guest may send at once without --max-size: far more than people write, far less than a disk. */
export const MAX_BYTES = 2 ** 30

/** How long the guest may take to note that it was pulled, which all else is done without. */
const MARKING = "10 seconds"

export const ownBranch = ({ name }: VmView) => `banger/${name}`

export const Pulled = Schema.Struct({
  branch: Schema.String.pipe(about("the host's branch that has it")),
  commit: Schema.NullOr(Schema.String).pipe(about("the branch's commit now; null: there was nothing new, and no branch was made")),
  before: Schema.NullOr(Schema.String).pipe(about("its commit before; null: there was no such branch")),
  commits: Schema.Int.pipe(about("commits that the branch has now and had not before, or that HEAD has not where the branch is new")),
  repositories: Schema.Array(Schema.String).pipe(about("directories with a repository of their own, whose commits were not pulled"))
})
export type Pulled = typeof Pulled.Type

export interface Wanted {
  readonly branch: string
  /** Whether the guest's uncommitted files are pulled, too. */
  readonly workTree: boolean
  /** Bytes. */
  readonly limit: number
}

/** Takes the commits of the guest's HEAD, and its uncommitted files where they are wanted, into a branch of the host's repository. */
export const pull = (place: GuestPlace, repository: Repository, { branch: name, limit, workTree }: Wanted) =>
  Effect.gen(function*() {
    const { top } = repository
    const { vm } = place
    const branch = yield* openBranch(repository, name)
    const { common, head, tree } = yield* look(place, repository, workTree)
    const shared = yield* known(repository, common)
    if (common.length > 0 && shared.length === 0) {
      return yield* new LocalFailure({ problem: `${top} is not the repository that was sent to ${vm.name}: it has none of its commits`, fix: `give the one that was sent: banger vm pull ${vm.name} PATH` })
    }
    const from = branch.tip ?? (yield* Effect.orElseSucceed(gitLine(top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]), () => undefined))
    const taken = yield* Effect.gen(function*() {
      const nothing = { branch: name, commit: branch.tip ?? null, before: branch.tip ?? null, commits: 0, repositories: [] }
      if (tree === undefined && from !== undefined && (yield* known(repository, [head])).length > 0 && (yield* isAncestor(top, head, from))) return nothing
      yield* receive(place, repository, [head, ...(tree === undefined ? [] : [tree])], shared, limit)
      if ((yield* known(repository, [head])).length === 0) return yield* new LocalFailure({ problem: `the HEAD of ${vm.name} is no commit`, fix: `banger vm exec ${vm.name} -- git -C DIR fsck` })
      const commit = yield* nextTip(repository, vm, branch, head, tree)
      const commits = Number(yield* gitLine(top, ["rev-list", "--count", commit, ...(from === undefined ? [] : ["--not", from])]))
      if (commit !== branch.tip) yield* moveBranch(repository, branch, commit)
      return { ...nothing, commit, commits, repositories: tree === undefined ? [] : yield* repositoriesIn(repository, tree, head) }
    })
    // The note spares a warning before the VM is deleted, and the next pull some bytes: a pull without it is whole all the same.
    yield* inGuest(place, MARK, [head], () => Effect.void).pipe(
      Effect.timeoutFail({ duration: MARKING, onTimeout: () => new Error("it does not answer") }),
      Effect.catchAll(({ message }) => say(`${vm.name} could not note that it was pulled: ${message}`))
    )
    for (const path of taken.repositories) yield* say(`${path} is a repository of its own, whose commits were not pulled: NAME:DIR names it to banger vm pull`)
    return taken satisfies Pulled
  })

/** What was done, and what can be done with it. */
export const pulledLine = ({ before, branch, commit, commits }: Pulled): string => {
  if (commit === null) return "nothing is new there, and no branch was made"
  if (before === commit) return `${branch} has it all already`
  return `${commits} ${commits === 1 ? "commit" : "commits"} in the branch ${branch}: git log ..${branch} shows them, git merge ${branch} takes them over`
}
