import * as Schema from "effect/Schema"
import { about } from "@banger/domain/about.ts"
import { one } from "../command-line/json.ts"
import type { Workspace } from "../workspace/workspace.ts"
import { size } from "@banger/domain/size.ts"

/** As a shell could read it: what is not plain text is written in octal. */
const printable = (path: Buffer): string => {
  const text = path.toString("utf8")
  // oxlint-disable-next-line no-control-regex
  if (!/[\x00-\x1f\x7f"\\\ufffd]/.test(text)) return text
  const escaped = [...path].map((byte) => byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte))
  return `"${escaped.join("")}"`
}

const total = ({ bytes, members, target }: Workspace) => {
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

export const dryRunText = (workspace: Workspace): string =>
  [...workspace.members.map(({ kind, path }) => printable(path) + (kind === "directory" ? "/" : "")), total(workspace), ...historyLines(workspace)].join("\n") + "\n"

/** What would be sent; null of a run without a PATH. */
const Sending = Schema.Struct({
  from: Schema.String.pipe(about("the work tree on the host")),
  to: Schema.String.pipe(about("the directory in the guest")),
  cwd: Schema.String.pipe(about("where the command would begin")),
  bytes: Schema.Number.pipe(about("of the files")),
  history: Schema.NullOr(Schema.Literal("full", "shallow")),
  files: Schema.Array(Schema.Struct({
    path: Schema.String.pipe(about("as git quotes it: what is not plain text in octal")),
    kind: Schema.Literal("file", "symlink", "directory"),
    mode: Schema.String.pipe(about("octal, four digits")),
    bytes: Schema.Number
  }))
})

export const SENDING = one("what would be sent", Schema.NullOr(Sending), "--dry-run")

export const dryRunJson = (workspace: Workspace): typeof Sending.Type => ({
  from: workspace.top,
  to: workspace.target,
  cwd: workspace.cwd,
  bytes: workspace.bytes,
  history: workspace.repositories[0]?.history.mode ?? null,
  files: workspace.members.map(({ bytes, kind, mode, path }) => ({ path: printable(path), kind, mode: mode.toString(8).padStart(4, "0"), bytes }))
})
