import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { directories, offering } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { one } from "../../command-line/json.ts"
import { as, json } from "../../command-line/options.ts"
import * as Values from "../../command-line/values.ts"
import { print, printJson } from "../../output/text.ts"
import { MAX_BYTES, ownBranch, pull, Pulled, pulledLine } from "../../way-back/pull.ts"
import { openRepository } from "../../workspace/repository.ts"
import { findWorkTree } from "../../workspace/work-tree.ts"
import { openPlace, repositoryOf } from "./guest-place.ts"

const PULLED = one("pull", Pulled)

export default command({
  path: "vm pull",
  about: `Takes the commits of a VM's repository into a branch of the one that was sent, which is PATH, or else where you are.
Work trees, what is checked out and other branches stay as they are. What the guest sends is checked as a stranger's; nothing of it runs.
A branch with commits of its own, or one that is checked out, is refused.`,
  args: Args.all([repositoryOf, Args.withDefault(Args.text({ name: "PATH" }).pipe(offering(directories)), ".")]),
  flags: Options.all({
    branch: Options.text("branch").pipe(Options.withPseudoName("BRANCH"), Options.withDescription("the branch that gets it (without it: banger/NAME)"), as(Values.text)),
    worktree: Options.boolean("worktree").pipe(Options.withDescription("what is not committed in the guest, too, as a commit")),
    maxSize: Options.text("max-size").pipe(Options.withPseudoName("SIZE"), Options.withDescription("how much a guest may send (without it: 1G)"), as(Values.mib(Schema.Number))),
    json
  }),
  json: PULLED,
  examples: ["banger vm pull sandbox", "banger vm pull --worktree --branch fix sandbox", "banger vm pull sandbox:app ~/src/app"],
  run: ({ args: [given, path], flags }) =>
    Effect.gen(function*() {
      const { top } = yield* findWorkTree(path)
      const repository = yield* openRepository(top)
      const place = yield* openPlace(given)
      const done = yield* pull(place, repository, {
        branch: flags.branch ?? ownBranch(place.vm), workTree: flags.worktree, limit: flags.maxSize === undefined ? MAX_BYTES : flags.maxSize * 2 ** 20
      })
      yield* flags.json ? printJson(PULLED, done) : print(`${pulledLine(done)}\n`)
      return 0
    })
})
