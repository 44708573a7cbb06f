import { lstatSync, realpathSync } from "node:fs"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import { LocalFailure } from "../failure/errors.ts"
import { git, type GitFailed } from "./git.ts"

/** A value of git's configuration, of any scope; bytes as latin1. Of one name the last counts. */
export interface Setting {
  readonly scope: string
  /** Section and key in small letters. */
  readonly name: string
  readonly value: string
}

/** A program that git passes a file's content through. */
export interface Filter {
  /** Only the repository itself names the program, so it does not run here. */
  readonly untrusted: boolean
}

export interface Repository {
  readonly top: string
  readonly gitDir: string
  /** The same but in a work tree that `git worktree` made: there it is the repository's. */
  readonly commonDir: string
  readonly format: "sha1" | "sha256"
  readonly settings: ReadonlyArray<Setting>
  readonly filters: ReadonlyMap<string, Filter>
  /** Settings that take from the repository the programs that it names itself. */
  readonly disarmed: ReadonlyArray<string>
  /** Objects may be missing, since a remote has them. */
  readonly partial: boolean
}

/** What the user or the machine's administrator wrote, as against what came with the repository. */
export const trusted = ({ scope }: Setting) => scope !== "local" && scope !== "worktree"

export const valueOf = ({ settings }: Pick<Repository, "settings">, name: string) => settings.findLast((setting) => setting.name === name)?.value

const parse = (output: string): ReadonlyArray<Setting> => {
  const fields = output.split("\0")
  const settings: Array<Setting> = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name = "", ...value] = (fields[at + 1] ?? "").split("\n")
    // A name alone means true.
    settings.push({ scope: fields[at] ?? "", name, value: value.length === 0 ? "true" : value.join("\n") })
  }
  return settings
}

const FILTER = /^filter\.(.*)\.(clean|smudge|process|required)$/s

const filtersOf = (settings: ReadonlyArray<Setting>) => {
  const filters = new Map<string, Filter>()
  const disarmed: Array<string> = []
  for (const setting of settings) {
    const name = FILTER.exec(setting.name)?.[1]
    if (name !== undefined) filters.set(name, { untrusted: (filters.get(name)?.untrusted ?? true) && !trusted(setting) })
  }
  for (const name of new Set(settings.filter((setting) => !trusted(setting)).flatMap(({ name }) => FILTER.exec(name)?.[1] ?? []))) {
    for (const key of ["clean", "smudge", "process", "required"]) {
      const own = settings.findLast((setting) => trusted(setting) && setting.name === `filter.${name}.${key}`)
      disarmed.push(`filter.${name}.${key}=${own?.value ?? (key === "required" ? "false" : "")}`)
    }
  }
  return { filters, disarmed }
}

export const openRepository = (top: string): Effect.Effect<Repository, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    const [said, configuration] = yield* Effect.all([
      git(top, ["rev-parse", "--absolute-git-dir", "--git-common-dir", "--show-object-format"]),
      git(top, ["config", "--list", "--null", "--show-scope"])
    ], { concurrency: "unbounded" })
    const [gitDir = "", commonDir = "", format = ""] = said.toString("utf8").split("\n")
    const settings = parse(configuration.toString("latin1"))
    const { disarmed, filters } = filtersOf(settings)
    // `-c` ends a name at the first equals sign, so this filter could not be taken from the repository.
    const odd = [...filters].find(([name, { untrusted }]) => untrusted && name.includes("="))
    if (odd !== undefined || (format !== "sha1" && format !== "sha256")) {
      return yield* new LocalFailure({
        problem: odd === undefined ? `${top} keeps its objects in a format that is not known: ${format}` : `${top} has a filter with an equals sign in its name: ${odd[0]}`,
        fix: odd === undefined ? "git version should be 2.26 or newer" : `git -C ${top} config --rename-section renames it`
      })
    }
    const partial = settings.some(({ name, value }) => name === "extensions.partialclone" || (/^remote\..*\.promisor$/s.test(name) && value !== "false"))
    return { top, gitDir, commonDir: resolve(top, commonDir), format, settings, filters, disarmed, partial }
  })

const real = (path: string) => {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** Whether a path is a regular file that a repository could only have inside itself: no link on the way leads out. */
export const isInside = (directory: string, path: string) => {
  const [at, home] = [real(path), real(directory)]
  return at !== undefined && home !== undefined && at.startsWith(`${home}/`) && lstatSync(at).isFile()
}

/** A submodule keeps its repository below that of the repository around it, or in its own directory. */
export const belongsTo = (outer: Repository, inner: Repository) => {
  const [at, home] = [real(inner.commonDir), real(outer.commonDir)]
  return inner.commonDir === `${inner.top}/.git` ? lstatSync(inner.commonDir).isDirectory() : at !== undefined && home !== undefined && at.startsWith(`${home}/`)
}
