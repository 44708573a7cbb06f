import { homedir } from "node:os"
import { type Repository, type Setting, trusted, valueOf } from "./repository.ts"

/** A remote's address may hold a password, which stays here; over http even a name alone is one. */
export const withoutPassword = (url: string) =>
  url.replace(/^(https?:\/\/)[^/@]*@/i, "$1").replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/@]*@/i, "$1@")

/** What decides what git says of files and how, who commits, and where remotes are. No program but filters', no credentials. */
const TAKEN = [
  /^core\.(autocrlf|eol|safecrlf|filemode|symlinks|ignorecase|quotepath|whitespace|sparsecheckout|sparsecheckoutcone|checkroundtripencoding)$/,
  /^(status|i18n)\./,
  /^diff\.(renames|renamelimit|ignoresubmodules|submodule)$/,
  /^submodule\.(active|recurse|.*\.(url|active|ignore|branch))$/s,
  /^filter\..*\.(clean|smudge|process|required)$/s,
  /^remote\..*\.(url|pushurl|fetch|promisor|partialclonefilter)$/s,
  /^user\.(name|email)$/,
  /^extensions\.partialclone$/
]
const ADDRESS = /^(remote|submodule)\..*\.(url|pushurl)$/s

const ESCAPED: Readonly<Record<string, string>> = { "\\": "\\\\", "\"": "\\\"", "\n": "\\n", "\t": "\\t", "\b": "\\b" }
const quoted = (value: string) => `"${value.replace(/[\\"\n\t\b]/g, (char) => ESCAPED[char] ?? char)}"`

const line = (name: string, value: string) => {
  const [section, key] = [name.slice(0, name.indexOf(".")), name.slice(name.lastIndexOf(".") + 1)]
  const middle = name.slice(section.length + 1, -key.length - 1)
  const header = middle === "" ? section : `${section} "${middle.replace(/[\\"]/g, "\\$&")}"`
  return `[${header}]\n\t${key} = ${quoted(value)}\n`
}

const taken = (branch: string | undefined) => ({ name }: Setting) =>
  TAKEN.some((pattern) => pattern.test(name)) ||
  (branch !== undefined && (name === `branch.${branch}.remote` || name === `branch.${branch}.merge`))

export interface GuestSettings {
  /** The branch's full name. */
  readonly branch: string | undefined
  /** Digits by which git shortens an id here; there it has fewer objects to tell apart. */
  readonly abbrev: number
  /** From the repository's directory to the files, for a submodule. */
  readonly worktree: string | undefined
  /** A file in the guest with the attributes that all of this user's repositories have. */
  readonly attributes: string | undefined
}

/** The repository's configuration in the guest; latin1. */
export const guestConfig = (repository: Repository, { abbrev, attributes, branch, worktree }: GuestSettings): string => {
  const sha256 = repository.format === "sha256"
  const own: ReadonlyArray<readonly [string, string]> = [
    ["core.repositoryformatversion", sha256 || repository.partial ? "1" : "0"],
    ["core.bare", "false"],
    ["core.logallrefupdates", "true"],
    ...(sha256 ? [["extensions.objectformat", "sha256"] as const] : []),
    // The files have other inodes there and are younger; what they are is told by their time and size.
    ["core.checkstat", "minimal"],
    ["core.trustctime", "false"],
    ["core.abbrev", String(abbrev)],
    ...(worktree === undefined ? [] : [["core.worktree", worktree] as const]),
    ...(attributes === undefined ? [] : [["core.attributesfile", attributes] as const])
  ]
  const short = branch?.startsWith("refs/heads/") === true ? branch.slice("refs/heads/".length) : undefined
  const theirs = repository.settings.filter(taken(short)).map(({ name, value }) => [name, ADDRESS.test(name) ? withoutPassword(value) : value] as const)
  return [...own, ...theirs].map(([name, value]) => line(name, value)).join("")
}

/** A file that the user, never the repository, names for all repositories, or where git looks without it. */
export const userFile = ({ settings }: Repository, name: "attributes" | "excludes"): string => {
  const given = valueOf({ settings: settings.filter(trusted) }, `core.${name}file`)
  const home = process.env["HOME"] || homedir()
  if (given !== undefined) return given.replace(/^~(?=\/)/, home)
  const configuration = process.env["XDG_CONFIG_HOME"] || `${home}/.config`
  return `${configuration}/git/${name === "excludes" ? "ignore" : "attributes"}`
}
