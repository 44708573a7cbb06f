import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { array } from "../command-line/json.ts"
import type { Directory } from "../workspace/directory.ts"
import type { Workspace } from "../workspace/workspace.ts"
import { isRepository, parts, type Sent } from "./sent.ts"
import { size } from "@banger/domain/size.ts"

/** As a shell could read it: what is not plain text is written in octal. */
const printable = (path: Buffer): string => {
  const text = path.toString("utf8")
  // oxlint-disable-next-line no-control-regex
  if (!/[\x00-\x1f\x7f"\\\ufffd]/.test(text)) return text
  const escaped = [...path].map((byte) => byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte))
  return `"${escaped.join("")}"`
}

const listed = (part: Directory | Workspace): ReadonlyArray<string> =>
  [...part.members.map(({ kind, path }) => printable(path) + (kind === "directory" ? "/" : "")), total(part)]

const total = ({ bytes, members, target }: Directory | Workspace) => {
  const files = members.filter(({ kind }) => kind !== "directory").length
  return `${files} ${files === 1 ? "file" : "files"}, ${size(bytes)} (${bytes} bytes), to ${target}`
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`

/** A line for the repository, and for each submodule that does not come whole as well. */
export const historyLines = ({ repositories }: Workspace): ReadonlyArray<string> =>
  repositories.filter(({ files, history }) => files === "" || history.mode === "shallow").map(({ files, history }) => {
    const { bytes, head, mode, refs } = history
    const what = head === undefined ? "no commit yet" : mode === "full" ? "all of it" : "the last commit alone (--history full sends all)"
    return `history${files === "" ? "" : ` of ${printable(Buffer.from(files))}`}: ${what}, ${counted(refs.filter(({ name }) => name.startsWith("refs/tags/")).length, "tag")}, ${size(bytes)}`
  })

export const dryRunText = (sent: Sent): string =>
  parts(sent).length === 0
    ? "neither PATH, --copy nor --with was given: no file would be sent\n"
    : parts(sent).flatMap((part) => [...listed(part), ...(isRepository(part) ? historyLines(part) : [])]).join("\n") + "\n"

const Sending = Schema.Struct({
  from: Schema.String.pipe(about("the directory on the host")),
  to: Schema.String.pipe(about("the directory in the guest")),
  bytes: Schema.Number.pipe(about("of the files")),
  history: Schema.NullOr(Schema.Literal("full", "shallow")).pipe(about("of the repository at PATH; null of what --copy and --with send")),
  files: Schema.Array(Schema.Struct({
    path: Schema.String.pipe(about("as git quotes it: what is not plain text in octal")),
    kind: Schema.Literal("file", "symlink", "directory"),
    mode: Schema.String.pipe(about("octal, four digits")),
    bytes: Schema.Number
  }))
})

/** The repository first, then the directories in the order in which they were named. */
export const SENDING = array("what would be sent", Sending, "--dry-run")

export const dryRunJson = (sent: Sent): ReadonlyArray<typeof Sending.Type> =>
  parts(sent).map((part) => ({
    from: isRepository(part) ? part.top : part.from,
    to: part.target,
    bytes: part.bytes,
    history: isRepository(part) ? part.repositories[0]?.history.mode ?? null : null,
    files: part.members.map(({ bytes, kind, mode, path }) => ({ path: printable(path), kind, mode: mode.toString(8).padStart(4, "0"), bytes }))
  }))
