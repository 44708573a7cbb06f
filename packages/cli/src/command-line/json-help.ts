import type { Json } from "./json.ts"
import { type Field, shapesOf } from "./json-fields.ts"
import { TREE } from "./tree.ts"

/** Columns of a terminal that nobody has made wider, without what help puts before each line. */
const WIDTH = 76

/** A value that commands print by itself, told by its fields, and a command that does. */
export interface Known {
  readonly json: Json
  readonly path: string
}

export const keyOf = (fields: ReadonlyArray<Field>): string => JSON.stringify(fields)

/** The values that commands print, each once, by their fields. Found when the command is built: a start only reads them. */
export const KNOWN: ReadonlyMap<string, Known> = new Map(
  [...TREE].flatMap(([path, { command }]) => (command?.json ?? []).map((json): Known => ({ json, path })))
    .toReversed().map((each) => [keyOf(shapesOf(each.json)[0]?.fields ?? []), each])
)

/** The fields as words of a line: `id`, `run {env[], user} (or null)`; one that another command prints by itself only by its name. */
const words = (fields: ReadonlyArray<Field>): ReadonlyArray<string> =>
  fields.map(({ array, fields, name, nullable }) => {
    const other = fields.length === 0 ? undefined : KNOWN.get(keyOf(fields))
    const inner = fields.length === 0 ? "" : other === undefined ? ` {${words(fields).join(", ")}}` : ` {${other.json.name}: banger ${other.path} --help}`
    return `${name}${array ? "[]" : ""}${inner}${nullable ? " (or null)" : ""}`
  })

const wrapped = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

const HOW = { one: "", array: "an array of", lines: "one object a line, as it happens; _tag says which:" } as const

/** The lines of a command's `--help` on `--json`. */
export const jsonHelp = (all: ReadonlyArray<Json>): ReadonlyArray<string> =>
  all.flatMap((json) => {
    const begin = [json.flag === undefined ? "" : `with ${json.flag}:`, HOW[json.how]].filter((part) => part !== "").join(" ")
    const each = shapesOf(json).filter(({ fields, type }) => fields.length > 0 || type !== "null").flatMap(({ fields, tag, type }) =>
      wrapped(`${tag === undefined ? "" : `${tag} `}${fields.length === 0 ? type : words(fields).join(", ")}`))
    return begin === "" ? each : [begin, ...each]
  })
