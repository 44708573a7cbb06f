import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import type { VmView } from "@banger/domain/vm.ts"
import { LocalFailure } from "../failure/errors.ts"
import { say } from "../output/text.ts"
import { gitLine } from "../workspace/git.ts"
import type { Repository } from "../workspace/repository.ts"
import { moveBranch, nextTip, openBranch } from "./branch.ts"
import { type GuestPlace, inGuest, MARK } from "./in-guest.ts"
import { known, look, receive } from "./receive.ts"

/** What a guest may send at once, where nobody said: far more than people write, far less than a disk. */
export const MAX_BYTES = 2 ** 30

export const ownBranch = ({ name }: VmView) => `banger/${name}`

export const Pulled = Schema.Struct({
  branch: Schema.String.pipe(about("the host's branch that has it")),
  commit: Schema.String.pipe(about("the branch's commit now")),
  before: Schema.NullOr(Schema.String).pipe(about("its commit before; null: there was no such branch")),
  commits: Schema.Int.pipe(about("commits that the branch has now and had not before, or that HEAD has not where the branch is new"))
})
export type Pulled = typeof Pulled.Type

export interface Wanted {
  readonly branch: string
  /** What is not committed in the guest, too. */
  readonly workTree: boolean
  /** Bytes. */
  readonly limit: number
}

/** What the guest's HEAD, or its work tree, has and this repository has not, as a branch of it. */
export const pull = (place: GuestPlace, repository: Repository, { branch: name, limit, workTree }: Wanted) =>
  Effect.gen(function*() {
    const { top } = repository
    const { vm } = place
    const branch = yield* openBranch(repository, name)
    const { common, head, tree } = yield* look(place, repository, workTree)
    const here = yield* known(repository, common)
    if (common.length > 0 && here.length === 0) {
      return yield* new LocalFailure({ problem: `${top} is not the repository that was sent to ${vm.name}: it has none of its commits`, fix: "give the one that was sent: banger vm pull NAME PATH" })
    }
    yield* receive(place, repository, [head, ...(tree === undefined ? [] : [tree])], here, limit)
    // A branch is a name of commits alone.
    if ((yield* known(repository, [head])).length === 0) return yield* new LocalFailure({ problem: `the HEAD of ${vm.name} is no commit`, fix: "" })
    const to = yield* nextTip(repository, vm, branch, head, tree)
    const from = branch.tip ?? (yield* Effect.orElseSucceed(gitLine(top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]), () => ""))
    const commits = Number(yield* gitLine(top, ["rev-list", "--count", to, ...(from === "" ? [] : ["--not", from])]))
    if (to !== branch.tip) yield* moveBranch(repository, branch, to)
    // It only spares a warning later, and the next pull some bytes.
    yield* Effect.catchAll(inGuest(place, MARK, [head], () => Effect.void), ({ message }) => say(`${vm.name} could not note that it was pulled: ${message}`))
    return { branch: name, commit: to, before: branch.tip ?? null, commits } satisfies Pulled
  })

/** What was done, and what can be done with it. */
export const line = ({ before, branch, commit, commits }: Pulled): string => {
  if (before === commit) return `${branch} has it all already`
  return `${commits} ${commits === 1 ? "commit" : "commits"} in the branch ${branch}: git log ..${branch} shows them, git merge ${branch} takes them over`
}
