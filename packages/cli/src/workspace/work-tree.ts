import { lstatSync, realpathSync } from "node:fs"
import { basename, dirname, relative, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { NotAWorkTree } from "../failure/errors.ts"
import { shellWord } from "../output/shell-word.ts"
import { type GitFailed, gitLine } from "./git.ts"

/** Where the files come from, and where they go. */
export interface WorkTree {
  /** Top directory of the work tree. */
  readonly top: string
  /** `/root/<name of the top directory>` in the guest. */
  readonly target: string
  /** The place in the guest of the path that was given. */
  readonly cwd: string
}

/** The nearest directory upwards that git could take for a work tree. */
const holder = (path: string): string | undefined => {
  for (let at = path; ; at = dirname(at)) {
    if (lstatSync(`${at}/.git`, { throwIfNoEntry: false }) !== undefined) return at
    if (at === "/") return undefined
  }
}

/** Whether text can be the name of a directory in the guest: what is not UTF-8 has become U+FFFD. */
export const isName = (text: string) => /^[^/\0\ufffd]+$/.test(text) && text !== "." && text !== ".." && Buffer.byteLength(text) <= 255

const named = (top: string) => isName(basename(top)) ? basename(top) : "workspace"

export const findWorkTree = (given: string): Effect.Effect<WorkTree, NotAWorkTree | GitFailed> =>
  Effect.gen(function*() {
    const refuse = (problem: string, fix: string) => new NotAWorkTree({ path: given, problem, fix })
    const path = yield* Effect.try({ try: () => realpathSync(resolve(given)), catch: () => refuse("there is no such directory", "check the path") })
    if (!lstatSync(path).isDirectory()) return yield* refuse("it is a file", "give the directory that it is in")
    const top = yield* gitLine(path, ["rev-parse", "--show-toplevel"]).pipe(Effect.mapError((error) => {
      if (holder(path) !== undefined) return error
      return refuse(error.problem, /must be run in a work tree/.test(error.problem) ? `git clone ${given} makes a work tree of it` : `git init ${shellWord(given)} makes it one; banger vm run --copy ${shellWord(given)}, or banger vm cp, sends it as it is`)
    }))
    // core.worktree of a repository that is not trusted could name any directory of the user's.
    if (top === "" || holder(path) !== top) return yield* refuse("its configuration puts the files elsewhere", `git -C ${given} config core.worktree says where`)
    const target = `/root/${named(top)}`
    const inside = relative(top, path)
    return { top, target, cwd: inside === "" || inside.includes("\ufffd") ? target : `${target}/${inside}` }
  })
