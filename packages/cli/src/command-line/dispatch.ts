import * as Effect from "effect/Effect"
import { VERSION } from "@banger/domain/version.ts"
import { meant, nearest } from "@banger/domain/nearest.ts"
import { complete } from "../completion/complete.ts"
import { renderFailure } from "../failure/failure.ts"
import { page } from "../output/pager.ts"
import { HELP, NO_PAGER, ownWords } from "./everywhere.ts"
import { find, firstWords, nextWords } from "./find.ts"
import { commandHelp, groupHelp, wholeHelp } from "./help.ts"
import { launch } from "./launch.ts"
import { Misuse } from "./misuse.ts"
import { synonyms } from "./synonyms.ts"

const asksForHelp = (word: string) => word === HELP.name || word === HELP.short

const wantsHelp = (argv: ReadonlyArray<string>) => ownWords(argv)[0].some(asksForHelp)

/** What is wrong with words that name no command, and the commands that may have been meant. */
const missed = (group: string, word: string | undefined): Misuse => {
  const help = `banger ${group === "" ? "" : `${group} `}--help shows the commands`
  if (word === undefined) return new Misuse("a command is missing", help)
  const known = group === "" ? firstWords() : nextWords(group.split(" ")).map(([name]) => name)
  const prefix = group === "" ? "banger" : `banger ${group}`
  const same = synonyms(group, word).map((path) => `banger ${path}`)
  const likely = same.length > 0 ? same : nearest(word, known).map((name) => `${prefix} ${name}`)
  return new Misuse(`there is no command ${JSON.stringify([group, word].filter(Boolean).join(" "))}`, meant(likely, help))
}

/** What every command takes, wherever it stands before `--`: it is told to the pager as its variable would be. */
const withoutPager = (given: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [own, others] = ownWords(given)
  if (!own.includes(NO_PAGER.name)) return given
  process.env["BANGER_PAGER"] = ""
  return [...own.filter((word) => word !== NO_PAGER.name), ...others]
}

const explain = (text: string): void => launch({ run: () => Effect.as(page(text), 0), ownFailure: undefined }, [])

/** The words that begin commands and name none: `vm`, or `vm workspace`. */
const groupOf = (argv: ReadonlyArray<string>): string => {
  const words = argv.findIndex((_, at) => nextWords(argv.slice(0, at + 1)).length === 0)
  return argv.slice(0, words === -1 ? argv.length : words).join(" ")
}

/** Finds the command that argv names and runs it, or explains what there is. */
export const dispatch = (given: ReadonlyArray<string>): void => {
  if (given[0] === "__complete") return launch(complete, given.slice(1))
  const argv = withoutPager(given)
  if (argv[0] === "--version" || argv[0] === "-V") return void process.stdout.write(`banger ${VERSION}\n`)
  const found = find(argv)
  if (found !== undefined) {
    const { args, entry: { command } } = found
    return wantsHelp(args) ? explain(commandHelp(command)) : launch(command, args)
  }
  const group = groupOf(argv)
  const beyond = argv.slice(group === "" ? 0 : group.split(" ").length).filter((word) => !asksForHelp(word) && word !== "help")
  if (beyond.length === 0 && (argv.length === 0 || wantsHelp(argv) || argv[0] === "help")) {
    return explain(group === "" ? wholeHelp() : groupHelp(group))
  }
  process.stderr.write(renderFailure(missed(group, beyond[0]), argv.includes("--json")))
  process.exitCode = 2
}
