import type { Command } from "./command.ts"
import { below } from "./find.ts"
import type { Flag } from "./flags.ts"
import { EXIT_STATUS, shortForms } from "./help.ts"
import { jsonHelp } from "./json-help.ts"
import { COMMON, EXAMPLES, GROUPS, TREE } from "./tree.ts"

/** Text as roff prints it: a hyphen that can be copied, no escapes, and no line that roff takes for a request. */
const roff = (text: string): string =>
  text.replaceAll("\\", "\\e").replaceAll("-", "\\-").split("\n").map((line) => /^[.']/.test(line) ? `\\&${line}` : line).join("\n")

/** The same in the argument of a request. */
const quoted = (text: string): string => `"${roff(text).replaceAll("\"", "\\(dq")}"`

const item = (what: string, about: string): string => `.TP\n.B ${quoted(what)}\n${about === "" ? "\\&" : roff(about)}\n`
const verbatim = (lines: ReadonlyArray<string>): string => `.PP\n.nf\n.RS\n${roff(lines.join("\n"))}\n.RE\n.fi\n`

const page = (name: string, summary: string, version: string, body: string): string =>
  `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`banger ${version}`)} ${quoted("banger")}\n.SH NAME\n${roff(name)} \\- ${roff(summary)}\n${body}`

const flagItem = ({ about, names, placeholder, short }: Flag): string =>
  item(`${short === undefined ? "" : `-${short}, `}${names.map((name) => `--${name}`).join(", ")}${placeholder === undefined ? "" : ` ${placeholder}`}`, about)

const commandSection = (command: Command): string =>
  [
    `.SH ${quoted(`banger ${command.path}`)}\n.B ${quoted(command.usage)}\n.PP\n${roff(command.about)}\n`,
    ...command.flags.map(flagItem),
    ...(command.json.length === 0 ? [] : [`.PP\nWith ${roff("--json")}:\n`, verbatim(jsonHelp(command.json))]),
    ".PP\nExamples:\n",
    verbatim(command.examples)
  ].join("")

const row = (path: string): string => item(`banger ${path}`, TREE.get(path)?.summary ?? "")
const commandsOf = (paths: ReadonlyArray<string>): string => paths.map((path) => TREE.get(path)?.command).flatMap((found) => found === undefined ? [] : [commandSection(found)]).join("")

const groupPage = (group: string, summary: string, version: string): string => {
  const paths = below(group).map(([path]) => path)
  return page(`banger-${group}`, summary, version, `.SH SYNOPSIS\n.B ${quoted(`banger ${group} COMMAND`)}\n.SH COMMANDS\n${paths.map(row).join("")}${commandsOf(paths)}.SH "SEE ALSO"\n.BR banger (1)\n`)
}

const wholePage = (version: string): string => {
  const groups = [...GROUPS].map(([group, { title }]) => `.SS ${quoted(title)}\n${below(group).map(([path]) => row(path)).join("")}.PP\nMore in\n.BR ${roff(`banger-${group}`)} (1).\n`)
  const own = below("").map(([path]) => path)
  return page("banger", "development sandboxes in microVMs", version, [
    ".SH SYNOPSIS\n.B banger\nCOMMAND\n.SH DESCRIPTION\n",
    `Runs commands and shells in virtual machines that start in a second, with a repository in them.\nThe most used commands are ${roff(COMMON.map(({ path }) => path).join(", "))}.\n.PP\nShort forms: ${roff(shortForms())}.\n`,
    ".SH COMMANDS\n",
    ...groups,
    `.SS ${quoted("Host")}\n${own.map(row).join("")}`,
    commandsOf(own),
    `.SH "EXIT STATUS"\n${verbatim(EXIT_STATUS.split("\n").slice(1))}`,
    `.SH EXAMPLES\n${verbatim(EXAMPLES)}`,
    `.SH "SEE ALSO"\n${[...GROUPS.keys()].map((group, at, all) => `.BR ${roff(`banger-${group}`)} (1)${at === all.length - 1 ? "" : ","}`).join("\n")}\n`
  ].join(""))
}

/** The manual's pages by their file names: one of banger, and one of each group. */
export const manual = (version: string): ReadonlyMap<string, string> =>
  new Map([["banger.1", wholePage(version)], ...[...GROUPS].map(([group, { summary }]) => [`banger-${group}.1`, groupPage(group, summary, version)] as const)])
