import type { Command } from "./command.ts"
import { HELP, NO_PAGER } from "./everywhere.ts"
import { below } from "./find.ts"
import type { Flag } from "./flags.ts"
import { jsonHelp } from "./json-help.ts"
import { COMMON, EXAMPLES, GROUPS, SHORT, TREE } from "./tree.ts"

const columns = (rows: ReadonlyArray<readonly [string, string]>, least = 0): string => {
  const width = Math.max(least, ...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join("\n")
}

const flagRow = ({ about, names, placeholder, short }: Flag): readonly [string, string] => {
  const long = names.map((name) => `--${name}`).join(", ")
  const all = short === undefined ? `    ${long}` : `-${short}, ${long}`
  return [placeholder === undefined ? all : `${all} ${placeholder}`, about]
}

/** The `--help` of one command. */
export const commandHelp = (command: Command): string => {
  const flags = [...command.flags.map(flagRow), [`${HELP.short}, ${HELP.name}`, HELP.about] as const, [`    ${NO_PAGER.name}`, NO_PAGER.about] as const]
  const sections = [
    `Usage: ${command.usage}`,
    command.about,
    `Flags:\n${columns(flags)}`,
    command.json.length > 0 ? `With --json:\n${jsonHelp(command.json).map((line) => `  ${line}`).join("\n")}` : "",
    `Examples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`
  ]
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`
}

export const EXIT_STATUS = `Exit status:
  0 done, 1 failed, 2 wrong command line, 3 not found, 4 busy or in conflict, 5 the daemon cannot be reached, 130 interrupted
  vm run, vm exec: the command's own; 125 for a failure of banger's, 124 after --timeout`

const section = (title: string, rows: ReadonlyArray<readonly [string, string]>, width = 0): string => `${title}:\n${columns(rows, width)}`

/** The `--help` of a group. */
export const groupHelp = (group: string): string => {
  const commands = below(group)
  return [
    `Usage: banger ${group} COMMAND`,
    section("Commands", commands),
    "banger COMMAND --help explains one.",
    `Examples:\n  banger ${commands[0]?.[0]} --help`
  ].join("\n\n") + "\n"
}

/** `ls, ps: vm list`, in the order in which they are declared. */
export const shortForms = (): string =>
  [...Map.groupBy(SHORT, ([, { command }]) => command.path)].map(([path, forms]) => `${forms.map(([word]) => word).join(", ")} (${path})`).join("; ")

/** The `--help` of banger itself: what is used most, then everything by its group. */
export const wholeHelp = (): string => {
  const common = COMMON.map(({ path }): readonly [string, string] => [path, TREE.get(path)?.summary ?? ""])
  const shown = new Set(COMMON.map(({ path }) => path))
  const rest = (group: string) => below(group).filter(([path]) => !shown.has(path))
  const width = Math.max(...[...TREE.keys()].map((path) => path.length))
  return [
    "Usage: banger COMMAND",
    section("Common commands", common, width),
    ...[...GROUPS].map(([group, { title }]) => section(title, rest(group), width)),
    section("Host", rest(""), width),
    `Short forms: ${shortForms()}`,
    "banger COMMAND --help explains one.",
    EXIT_STATUS,
    `Examples:\n${EXAMPLES.map((example) => `  ${example}`).join("\n")}`
  ].join("\n\n") + "\n"
}
