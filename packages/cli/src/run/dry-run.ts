import type { Workspace } from "../workspace/workspace.ts"
import { size } from "../output/units.ts"

/** As a shell could read it: what is not plain text is written in octal. */
const printable = (path: Buffer): string => {
  const text = path.toString("utf8")
  // oxlint-disable-next-line no-control-regex
  if (!/[\x00-\x1f\x7f"\\\ufffd]/.test(text)) return text
  const escaped = [...path].map((byte) => byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte))
  return `"${escaped.join("")}"`
}

const total = ({ bytes, from, members, target }: Workspace) => {
  const files = members.filter(({ kind }) => kind !== "directory").length
  return `${files} ${files === 1 ? "file" : "files"}, ${size(bytes)} (${bytes} bytes), and .git as a shallow clone of ${from ?? "HEAD"}, to ${target}`
}

export const dryRunText = (workspace: Workspace): string =>
  [...workspace.members.map(({ kind, path }) => printable(path) + (kind === "directory" ? "/" : "")), total(workspace)].join("\n") + "\n"

export const dryRunJson = (workspace: Workspace) => ({
  from: workspace.top,
  to: workspace.target,
  cwd: workspace.cwd,
  bytes: workspace.bytes,
  files: workspace.members.map(({ bytes, kind, mode, path }) => ({ path: printable(path), kind, mode: mode.toString(8).padStart(4, "0"), bytes }))
})
