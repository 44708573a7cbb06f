import * as Effect from "effect/Effect"
import { VERSION } from "@banger/domain/version.ts"
import { renderFailure } from "../failure/failure.ts"
import { page } from "../output/pager.ts"
import { commandHelp, groupHelp } from "./help.ts"
import { launch } from "./launch.ts"
import { Misuse } from "./misuse.ts"
import { EXAMPLES, TREE } from "./tree.ts"

const wantsHelp = (argv: ReadonlyArray<string>) => {
  const end = argv.indexOf("--")
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === "--help" || word === "-h")
}

/** The commands below some words: `vm` has `run`, `create`, …; no words have them all. */
const below = (words: string) =>
  [...TREE].filter(([path]) => words === "" || path.startsWith(`${words} `)).map(([path, { summary }]) => [path, summary] as const)

const find = (argv: ReadonlyArray<string>) => {
  for (const length of [2, 1]) {
    const path = argv.slice(0, length).join(" ")
    const entry = TREE.get(path)
    if (entry !== undefined) return { entry, path, args: argv.slice(length) }
  }
  return undefined
}

const NO_PAGER = "--no-pager"

/** What every command takes, wherever it stands before `--`: it is told to the pager as its variable would be. */
const withoutPager = (given: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = given.indexOf("--")
  const [own, rest] = end === -1 ? [given, []] : [given.slice(0, end), given.slice(end)]
  if (!own.includes(NO_PAGER)) return given
  process.env["BANGER_PAGER"] = ""
  return [...own.filter((word) => word !== NO_PAGER), ...rest]
}

const explain = (text: string): void => launch({ run: () => Effect.as(page(text), 0), ownFailure: undefined }, [])

/** Finds the command that argv names and runs it, or explains what there is. */
export const dispatch = (given: ReadonlyArray<string>): void => {
  const argv = withoutPager(given)
  if (argv[0] === "--version" || argv[0] === "-V") return void process.stdout.write(`banger ${VERSION}\n`)
  const found = find(argv)
  if (found !== undefined) {
    const { command } = found.entry
    return wantsHelp(found.args) ? explain(commandHelp(command)) : launch(command, found.args)
  }
  const group = argv[0] !== undefined && below(argv[0]).length > 0 ? argv[0] : ""
  const beyond = argv.slice(group === "" ? 0 : 1).filter((word) => word !== "--help" && word !== "-h" && word !== "help")
  if (beyond.length === 0 && (argv.length > 0 && (wantsHelp(argv) || argv[0] === "help"))) {
    return explain(groupHelp(group, below(group), group === "" ? EXAMPLES : [`banger ${below(group)[0]?.[0]} --help`]))
  }
  const help = `banger ${group === "" ? "" : `${group} `}--help shows the commands`
  const problem = beyond.length === 0 ? "a command is missing" : `there is no command ${JSON.stringify([group, beyond[0]].filter(Boolean).join(" "))}`
  process.stderr.write(renderFailure(new Misuse(problem, help), argv.includes("--json")))
  process.exitCode = 2
}
