import { CatalogError, VmError } from "@banger/domain/errors.ts"
import * as errors from "../failure/errors.ts"
import { kindOf } from "../failure/failure.ts"
import { statusOf } from "../failure/exit.ts"
import type { Json } from "./json.ts"
import { type Field, type Shape, shapesOf } from "./json-fields.ts"
import { type Known, KNOWN, keyOf } from "./json-help.ts"
import { TREE } from "./tree.ts"

const INTRO = `# What \`--json\` prints

Made of the schemas that the commands print with (\`make docs\`); a test holds it against them. Use it with \`jq\`: \`banger vm list --json | jq -r '.[].address'\`.

Names of fields stay; a later version may have more of them. A field is always there; \`or null\` says that it may have no value. Sizes are bytes and times milliseconds, where a field's
name or its row does not say otherwise. Moments are ISO 8601 in UTC with milliseconds: \`2026-01-31T12:00:00.000Z\`.
`

const anchor = (name: string): string => `[${name}](#${name.toLowerCase().replaceAll(" ", "-")})`

const HOW = { one: "one", array: "an array of", lines: "one a line, as it happens:" } as const

const printed = ({ flag, how, name }: Json): string => `${HOW[how]} ${anchor(name)}${flag === undefined ? "" : ` (with \`${flag}\`)`}`

const commands = (): string => {
  const rows = [...TREE].flatMap(([path, { command }]) => command === undefined || command.json.length === 0 ? [] : [`| \`${path}\` | ${command.json.map(printed).join("; ")} |`])
  return `## Commands\n| | prints |\n|---|---|\n${rows.join("\n")}\n`
}

/** The rows of a table, fields in fields by a dotted path; what has a section of its own is only named. */
const rows = (fields: ReadonlyArray<Field>, others: ReadonlyMap<string, Known>, prefix = ""): ReadonlyArray<string> =>
  fields.flatMap(({ about, array, fields, name, nullable, type }) => {
    const path = `${prefix}${name}${array ? "[]" : ""}`
    const other = fields.length === 0 ? undefined : others.get(keyOf(fields))
    const words = other === undefined ? about : [about, anchor(other.json.name)].filter((part) => part !== "").join("; ")
    const row = `| \`${path}\` | ${type}${nullable ? ", or null" : ""} | ${words} |`
    return other === undefined ? [row, ...rows(fields, others, `${path}.`)] : [row]
  })

const table = (shape: Shape, others: ReadonlyMap<string, Known>): string =>
  shape.fields.length === 0
    ? `${shape.type === "null" ? "Or null." : `A ${shape.type}.`}\n`
    : `${shape.tag === undefined ? "" : `\n\`_tag\` \`${shape.tag}\`:\n\n`}| field | | |\n|---|---|---|\n${rows(shape.fields, others).join("\n")}\n`

const section = (json: Json): string => {
  // Its own section has its fields; the others name it.
  const rest = new Map([...KNOWN].filter(([, known]) => known.json.name !== json.name))
  return `### ${json.name}\n${json.how === "lines" ? "The last line tells what came of it; a failure is an error on stderr instead.\n" : ""}${shapesOf(json).map((shape) => table(shape, rest)).join("")}`
}

/** Every error that a command can end with, by its tag. */
const tags = (): ReadonlyArray<string> => {
  const ofDaemon = [...VmError.members, ...CatalogError.members].map(({ _tag }) => _tag)
  const own = Object.values(errors).flatMap((each) => "_tag" in each ? [String(each._tag)] : [])
  return [...new Set([...ofDaemon, ...own, "Misuse"])].toSorted()
}

const failures = (): string => `## Errors
With \`--json\` a command that fails prints one line on stderr, and its exit status tells the kind as without. \`vm run\` and \`vm exec\` end with 125 for all but a wrong command line.

| field | | |
|---|---|---|
| \`error.kind\` | string | stable: one of those below |
| \`error.message\` | string | what failed and why, in one line |
| \`error.hint\` | string | what mends it; may be empty |

| kind | exit status |
|---|---|
${[...tags().map((tag) => `| \`${kindOf(tag)}\` | ${statusOf({ _tag: tag })} |`), "| `version-mismatch` | 1 |", "| `internal` | 1 |"].join("\n")}
`

/** docs/json.md. */
export const jsonDoc = (): string => {
  const all = new Map([...KNOWN.values()].toReversed().map((each) => [each.json.name, each.json]))
  return [INTRO, commands(), "## Values\n", ...[...all.values()].map(section), failures()].join("\n")
}
