import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { HistoryMode, type UserConfig } from "@banger/domain/config.ts"
import { Misuse } from "../command-line/misuse.ts"
import { as, type ValuesOf } from "../command-line/options.ts"
import * as Values from "../command-line/values.ts"
import { git } from "../workspace/git.ts"
import { plan } from "../workspace/workspace.ts"

/** How a repository is sent. */
export const repositoryFlags = {
  branch: Options.text("branch").pipe(Options.withPseudoName("BRANCH"), Options.withDescription("create this branch in the guest, from HEAD"), as(Values.text)),
  from: Options.text("from").pipe(Options.withPseudoName("REF"), Options.withDescription("with --branch: from there, with the files of that commit"), as(Values.text)),
  history: Options.text("history").pipe(Options.withPseudoName("MODE"), Options.withDescription("how much of the history to send: full, shallow (HEAD alone), or auto: full up to 100 MiB"), as(HistoryMode)),
  includeUntracked: Options.boolean("include-untracked").pipe(Options.withDescription("send files that git does not know and does not ignore, too"))
}
type Given = ValuesOf<typeof repositoryFlags>

/** The first of the flags that were given: without a repository none has a meaning. */
export const givenOf = ({ branch, from, history, includeUntracked }: Given): string | undefined =>
  ([["--branch", branch], ["--from", from], ["--history", history], ["--include-untracked", includeUntracked || undefined]] as const).find(([, value]) => value !== undefined)?.[0]

/** What the flags ask for must make sense together. */
const check = ({ branch, from, includeUntracked }: Given) => {
  const misuse = (problem: string) => Effect.fail(new Misuse(problem, "with a PATH: --branch NAME, and --from REF where it is not to begin at HEAD"))
  if (from !== undefined && branch === undefined) return misuse("--from needs --branch")
  if (from !== undefined && includeUntracked) return misuse("--from sends the files of a commit: --include-untracked has no meaning")
  if (branch === undefined) return Effect.void
  return Effect.catchAll(git("/", ["check-ref-format", "--branch", branch]), () => misuse(`--branch: git takes no such name: ${branch}`))
}

/** What would be sent of the repository at a path; what no flag says, the configuration does. */
export const planRepository = (path: string, flags: Given, { vm_run }: UserConfig) =>
  Effect.zipRight(check(flags), plan(path, { mode: flags.history ?? vm_run?.history ?? "auto", from: flags.from, branch: flags.branch, includeUntracked: flags.includeUntracked }))
