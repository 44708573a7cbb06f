import { lstatSync, readFileSync } from "node:fs"
import { mkdir, utimes, writeFile } from "node:fs/promises"
import * as path from "node:path/posix"
import * as Effect from "effect/Effect"
import type { LocalFailure } from "../failure/errors.ts"
import { git, type GitFailed, gitLine } from "./git.ts"
import { guestConfig, userFile } from "./guest-config.ts"
import type { History } from "./history.ts"
import { type Packing, putObjects } from "./packs.ts"
import { isInside, type Repository } from "./repository.ts"
import { SENT, sentCommit, type WorkFiles } from "./sent.ts"
import { writingAside } from "./temporary.ts"

/** A repository to be made in the guest; paths are relative to the top of the workspace, and text. */
export interface GuestRepository {
  readonly repository: Repository
  readonly history: History
  /** The index that goes along, and when it was made (seconds). */
  readonly index: Buffer | undefined
  readonly at: number
  readonly work: WorkFiles
  /** Where its files are: "" for the workspace's own, else a submodule. */
  readonly files: string
  /** `.git`, or `.git/modules/NAME`. */
  readonly gitDir: string
}

/** Bytes of a file of settings; git's own are far smaller. */
const MAX_SETTINGS = 1 << 20

const readFrom = (file: string) => {
  try {
    return lstatSync(file).size <= MAX_SETTINGS ? readFileSync(file, "latin1") : undefined
  } catch {
    return undefined
  }
}

/** A file of the repository's own directory, which might be a link to something that is none of its business. */
export const ownFile = (directory: string, name: string) => isInside(directory, `${directory}/${name}`) ? readFrom(`${directory}/${name}`) : undefined

const ATTRIBUTES = "info/attributes-of-user"

/** Its files but packs: name and content, latin1. `target` is the workspace's place in the guest. */
const contents = (guest: GuestRepository, target: string, abbrev: number): ReadonlyArray<readonly [string, string]> => {
  const { files, gitDir, history, repository } = guest
  const attributes = [readFrom("/etc/gitattributes"), readFrom(userFile(repository, "attributes"))].join("\n").trim()
  const excludes = [readFrom(userFile(repository, "excludes")), ownFile(repository.commonDir, "info/exclude")].join("\n").trim()
  const parts: ReadonlyArray<readonly [string, string | undefined]> = [
    ["HEAD", history.branch === undefined ? history.head : `ref: ${history.branch}`],
    ["config", guestConfig(repository, {
      branch: history.branch,
      abbrev,
      worktree: files === "" ? undefined : Buffer.from(path.relative(`/${gitDir}`, `/${files}`)).toString("latin1"),
      attributes: attributes === "" ? undefined : Buffer.from(`${target}/${gitDir}/${ATTRIBUTES}`).toString("latin1")
    })],
    ["packed-refs", history.refs.map(({ id, name }) => `${id} ${name}`).join("\n")],
    ["shallow", history.shallow.join("\n")],
    [ATTRIBUTES, attributes],
    ["info/attributes", ownFile(repository.commonDir, "info/attributes")],
    ["info/exclude", excludes],
    ["info/sparse-checkout", ownFile(repository.gitDir, "info/sparse-checkout")],
    // With grafts git takes other parents for a commit's own, and sent are those.
    ["info/grafts", history.mode === "full" ? ownFile(repository.commonDir, "info/grafts") : undefined]
  ]
  return parts.flatMap(([name, text]) => text === undefined || text === "" ? [] : [[name, text.endsWith("\n") ? text : `${text}\n`] as const])
}

/** Makes it below a directory of ours, but for the packs that are ready. */
export const makeGuestRepository = (guest: GuestRepository, packing: Packing, below: string, target: string): Effect.Effect<void, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    const { at, files, history, index, repository, work } = guest
    const directory = `${below}/${guest.gitDir}`
    const short = history.head === undefined ? "" : yield* gitLine(repository.top, ["rev-parse", "--short", history.head])
    yield* writingAside(async () => {
      for (const inner of ["refs/heads", "refs/tags", "info"]) await mkdir(`${directory}/${inner}`, { recursive: true })
      for (const [name, text] of contents(guest, target, short.length || 7)) await writeFile(`${directory}/${name}`, text, "latin1")
      if (index !== undefined) {
        await writeFile(`${directory}/index`, index)
        await utimes(`${directory}/index`, at, at)
      }
      if (files === "") return
      await mkdir(`${below}/${files}`, { recursive: true })
      await writeFile(`${below}/${files}/.git`, `gitdir: ${path.relative(`/${files}`, `/${guest.gitDir}`)}\n`)
    })
    yield* putObjects(repository, packing, directory)
    const sent = yield* sentCommit(repository, history.head, work, at, directory)
    if (sent !== undefined) yield* writingAside(() => writeFile(`${directory}/${SENT}`, `${sent}\n`))
  })

/** Names of a repository's submodules by their paths; a name that is no place of its own is left out. */
export const submoduleNames = (top: string): Effect.Effect<ReadonlyMap<string, string>, GitFailed> =>
  Effect.gen(function*() {
    if (!isInside(top, `${top}/.gitmodules`)) return new Map()
    const said = yield* git(top, ["config", "--file", ".gitmodules", "--null", "--get-regexp", "^submodule\\..*\\.path$"], { allow: [1] })
    return new Map(said.toString("utf8").split("\0").flatMap((entry) => {
      const [key = "", at = ""] = entry.split("\n")
      const name = key.slice("submodule.".length, -".path".length)
      return name === "" || name.split("/").some((part) => ["", ".", ".."].includes(part)) ? [] : [[at, name] as const]
    }))
  })
