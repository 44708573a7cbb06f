import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Schema from "effect/Schema"
import * as Options from "@effect/cli/Options"
import { directories } from "../command-line/candidates.ts"
import { Misuse } from "../command-line/misuse.ts"
import { each } from "../command-line/options.ts"
import { written } from "../command-line/values.ts"
import type { LocalFailure } from "../failure/errors.ts"
import type { GitFailed } from "../workspace/git.ts"
import { type Directory, listed, locate, type Named, prepareDirectory } from "../workspace/directory.ts"
import { isName } from "../workspace/work-tree.ts"
import { prepare, type Sending, type Workspace } from "../workspace/workspace.ts"

/** `DIR` or `DIR:NAME`. Of several colons the last one counts, but for a directory that is there and has that very name. */
export const directory = written(Schema.Struct({ from: Schema.String, name: Schema.UndefinedOr(Schema.String) }), (given): Named => {
  const at = given.lastIndexOf(":")
  const [from, name] = at === -1 ? [given, undefined] : [given.slice(0, at), given.slice(at + 1)]
  if (from === "" || (name !== undefined && !isName(name))) throw new Error(`expected DIR or DIR:NAME, not ${JSON.stringify(given)}`)
  return { from, name }
})

/** Directories beside a repository. */
export const withFlag = Options.text("with").pipe(Options.withPseudoName("DIR[:NAME]"), Options.withDescription("send a directory as it is beside that; repeatable"), each(directory, directories))

/** All that a run sends: the repository at PATH or the directory of --copy, in which the command begins, and others beside it. */
export interface Sent {
  readonly main: Workspace | Directory | undefined
  readonly beside: ReadonlyArray<Directory>
}

export const isRepository = (main: Sent["main"]): main is Workspace => main !== undefined && "repositories" in main

/** Where the command begins in the guest; empty: where the image says. */
export const beginsIn = ({ main }: Sent): string => main === undefined ? "" : isRepository(main) ? main.cwd : main.target

/** In the order in which they are named. */
export const parts = ({ beside, main }: Sent): ReadonlyArray<Workspace | Directory> => main === undefined ? beside : [main, ...beside]

/** What mustFit asks of. */
export const sizes = (sent: Sent) => ({
  members: parts(sent).flatMap(({ members }) => members),
  repositories: isRepository(sent.main) ? sent.main.repositories : []
})

/** Directories are looked into once it is known that none of them would be put into the place of another. */
export const planBeside = (main: Sent["main"], named: ReadonlyArray<Named>): Effect.Effect<Sent, LocalFailure | Misuse> =>
  Effect.gen(function*() {
    const places = yield* Effect.forEach(named, locate)
    const targets = [...(main === undefined ? [] : [main]), ...places].map(({ target }) => target)
    const twice = targets.find((target, at) => targets.indexOf(target) !== at)
    if (twice !== undefined) return yield* Effect.fail(new Misuse(`two directories would be ${twice} in the guest`, "--with DIR:NAME gives one of them another name"))
    return { main, beside: yield* Effect.forEach(places, listed) }
  })

/** A part of it, ready to be sent. */
export interface Ready {
  readonly of: Workspace | Directory
  readonly archives: ReadonlyArray<Sending>
}

/** Everything, ready to be sent. All that can fail for reasons of this host's fails here, before a VM is made. */
export const prepareSent = ({ beside, main }: Sent): Effect.Effect<ReadonlyArray<Ready>, GitFailed | LocalFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const plain = (directory: Directory) => Effect.map(prepareDirectory(directory), (archive) => ({ of: directory, archives: [archive] }))
    const first = main === undefined ? [] : [isRepository(main) ? Effect.map(prepare(main), ({ archives }) => ({ of: main, archives })) : plain(main)]
    return yield* Effect.all([...first, ...beside.map(plain)])
  })
