import type { Command } from "./command.ts"
import type { Flag } from "./flags.ts"

const columns = (rows: ReadonlyArray<readonly [string, string]>): string => {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join("\n")
}

const flagRow = ({ about, names, placeholder, short }: Flag): readonly [string, string] => {
  const long = names.map((name) => `--${name}`).join(", ")
  const all = short === undefined ? `    ${long}` : `-${short}, ${long}`
  return [placeholder === undefined ? all : `${all} ${placeholder}`, about]
}

/** The `--help` of one command. */
export const commandHelp = (command: Command): string => {
  const flags = [...command.flags.map(flagRow), ["-h, --help", "this text"] as const]
  const sections = [
    `Usage: ${command.usage}`,
    command.about,
    `Flags:\n${columns(flags)}`,
    command.fields.length > 0 ? `With --json:\n${command.fields.map((field) => `  ${field}`).join("\n")}` : "",
    `Examples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`
  ]
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`
}

const EXIT_STATUS = `Exit status:
  0 done, 1 failed, 2 wrong command line, 3 not found, 4 busy or in conflict, 5 the daemon cannot be reached, 130 interrupted
  vm run, vm exec: the command's own; 125 for a failure of banger's, 124 after --timeout`

/** The `--help` of a group, or of banger itself. */
export const groupHelp = (words: string, commands: ReadonlyArray<readonly [string, string]>, examples: ReadonlyArray<string>): string =>
  [
    `Usage: banger ${[words, "COMMAND"].filter((word) => word !== "").join(" ")}`,
    `Commands:\n${columns(commands)}`,
    "banger COMMAND --help explains one.",
    ...(words === "" ? [EXIT_STATUS] : []),
    `Examples:\n${examples.map((example) => `  ${example}`).join("\n")}`
  ].join("\n\n") + "\n"
