/** The pages of the documentation, and what of the shell is in them. */
import * as fs from "node:fs"

/** What stands between a page's fences. */
export interface Block {
  /** `docs/ssh.md:12`: its first line. */
  readonly at: string
  readonly heading: string
  /** What stands behind its opening fence: `sh`, `console`, `toml`. */
  readonly kind: string
  readonly text: string
}

export interface Page {
  /** `docs/ssh.md` */
  readonly name: string
  readonly blocks: ReadonlyArray<Block>
  /** What stands in backticks in its text, by its line. */
  readonly spans: ReadonlyArray<Pick<Block, "at" | "text">>
}

const ROOT = new URL("../", import.meta.url)

export const page = (name: string): Page => {
  const [blocks, spans] = [new Array<Block>(), new Array<Pick<Block, "at" | "text">>()]
  let [heading, open]: [string, { at: string; kind: string; lines: Array<string> } | undefined] = ["", undefined]
  for (const [index, line] of fs.readFileSync(new URL(name, ROOT), "utf8").split("\n").entries()) {
    const [, kind] = /^```(.*)$/.exec(line) ?? []
    if (open !== undefined) {
      if (kind === undefined) open.lines.push(line)
      else {
        blocks.push({ at: open.at, heading, kind: open.kind, text: open.lines.join("\n") })
        open = undefined
      }
    } else if (kind !== undefined) {
      open = { at: `${name}:${index + 2}`, kind, lines: [] }
    } else {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading
      for (const [, text = ""] of line.matchAll(/`([^`]+)`/g)) spans.push({ at: `${name}:${index + 1}`, text })
    }
  }
  return { name, blocks, spans }
}

/** README.md and all of docs/. */
export const pages = (): ReadonlyArray<Page> =>
  ["README.md", ...fs.readdirSync(new URL("docs/", ROOT)).filter((name) => name.endsWith(".md")).toSorted().map((name) => `docs/${name}`)].map(page)

/** The pages that the tests of the host VM follow, in this order. */
export const GUIDES: ReadonlyArray<string> = ["README.md", "docs/workspaces.md", "docs/networking.md", "docs/scripting.md", "docs/ssh.md", "docs/config.md"]

/** What a block of a guide tells to type, and what then appears. */
export interface Step {
  readonly script: string
  /** Lines that come, among others and in this order; `...` is anything. `undefined` where the block shows none. */
  readonly shown: ReadonlyArray<string> | undefined
  /** Whether it takes so long that it runs with BANGER_ALL alone. */
  readonly long: boolean
}

/** `sh`, or `console` with prompts and output; everything else is only shown. */
export const stepOf = ({ kind, text }: Block): Step | undefined => {
  const [language, ...words] = kind.split(" ")
  const lines = text.split("\n")
  const long = words.includes("long")
  if (language === "sh") return { script: text, shown: undefined, long }
  if (language !== "console") return undefined
  return { script: lines.flatMap((line) => line.startsWith("$ ") ? [line.slice(2)] : []).join("\n"), shown: lines.filter((line) => !line.startsWith("$ ")), long }
}

/** A line as the page shows it. Blanks are those of a table, whose columns are as wide as what is in them. */
const pattern = (line: string) =>
  new RegExp(`^${line.trimEnd().split(/ *\.\.\. */).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/ +/g, " +")).join(".*")}\\s*$`)

/** The lines of a page that do not come, or not after those before them. */
export const missing = (shown: ReadonlyArray<string>, output: string): ReadonlyArray<string> => {
  const lines = output.split("\n")
  let from = 0
  return shown.filter((line) => line !== "...").filter((line) => {
    const at = lines.findIndex((given, index) => index >= from && pattern(line).test(given))
    if (at !== -1) from = at + 1
    return at === -1
  })
}
