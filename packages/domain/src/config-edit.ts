/** Changes single values of a TOML file and leaves the rest as somebody wrote it, comments too. */
import * as Toml from "smol-toml"
import { valueAt, written } from "./config-file.ts"

/** A key that is not in a table within a table, and the value that it is to have. */
export interface Change {
  /** `network.cidr` */
  readonly key: string
  readonly to: string | boolean
}

/** A value on its line: a text, or what has no quotes and is neither array nor table; then a comment, or the line's end. */
const VALUE = /^([^=]*=\s*)(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'[{]+)(\s*(?:#.*)?)$/

/** JSON's texts are TOML's. */
const assignment = (name: string, to: Change["to"]) => `${name} = ${JSON.stringify(to)}`

const same = (one: ReadonlyArray<string>, other: ReadonlyArray<string>) => one.length === other.length && one.every((part, at) => part === other[at])

/** One change; undefined where the file is written in a form that this does not know. */
const edited = (text: string, { key, to }: Change): string | undefined => {
  const path = key.split(".")
  const [name = "", table] = path.toReversed()
  const names = written(text)
  const lines = text.split("\n")
  const own = names.find(({ header, path: at }) => !header && same(at, path))
  if (own !== undefined) {
    const line = lines[own.line] ?? ""
    const changed = line.replace(VALUE, (_, before: string, after: string) => `${before}${JSON.stringify(to)}${after}`)
    return VALUE.test(line) ? lines.with(own.line, changed).join("\n") : undefined
  }
  const below = (line: number, added: string) => lines.toSpliced(line + 1, 0, added).join("\n")
  if (table !== undefined) {
    const header = names.find(({ header, path: at }) => header && same(at, [table]))
    if (header !== undefined) return below(header.line, assignment(name, to))
    // A table that dotted names have made cannot be begun again.
    const dotted = names.findLast(({ header, path: at, table: within }) => !header && within.length === 0 && at.length > 1 && at[0] === table)
    if (dotted !== undefined) return below(dotted.line, assignment(key, to))
  }
  if (table === undefined) {
    const first = names.find(({ header }) => header)
    if (first !== undefined) return below(first.line - 1, `${assignment(name, to)}\n`)
  }
  const whole = text === "" || text.endsWith("\n") ? text : `${text}\n`
  return `${whole}${table === undefined ? "" : `${whole === "" ? "" : "\n"}[${table}]\n`}${assignment(name, to)}\n`
}

/** The text with these values; undefined where it is written in a form in which they cannot be changed, as a table within one line. */
export const withValues = (text: string, changes: ReadonlyArray<Change>): string | undefined => {
  const changed = changes.reduce<string | undefined>((so, change) => so === undefined ? undefined : edited(so, change), text)
  if (changed === undefined) return undefined
  try {
    const parsed = Toml.parse(changed)
    return changes.every(({ key, to }) => valueAt(parsed, key) === to) ? changed : undefined
  } catch {
    // What was added contradicts a form that is rare enough.
    return undefined
  }
}
