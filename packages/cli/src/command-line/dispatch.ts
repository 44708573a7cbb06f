import { VERSION } from "@banger/domain/version.ts"
import { complete } from "../completion/complete.ts"
import { renderFailure } from "../failure/failure.ts"
import { below, find, firstWords } from "./find.ts"
import { commandHelp, groupHelp, wholeHelp } from "./help.ts"
import { launch } from "./launch.ts"
import { Misuse } from "./misuse.ts"
import { meant, nearest } from "./nearest.ts"
import { GROUPS } from "./tree.ts"

const wantsHelp = (argv: ReadonlyArray<string>) => {
  const end = argv.indexOf("--")
  return (end === -1 ? argv : argv.slice(0, end)).some((word) => word === "--help" || word === "-h")
}

/** What is wrong with words that name no command, and the commands that may have been meant. */
const missed = (group: string, word: string | undefined): Misuse => {
  const help = `banger ${group === "" ? "" : `${group} `}--help shows the commands`
  if (word === undefined) return new Misuse("a command is missing", help)
  const known = group === "" ? firstWords() : below(group).map(([path]) => path.slice(group.length + 1))
  const prefix = group === "" ? "banger" : `banger ${group}`
  return new Misuse(`there is no command ${JSON.stringify([group, word].filter(Boolean).join(" "))}`, meant(nearest(word, known).map((name) => `${prefix} ${name}`), help))
}

/** Finds the command that argv names and runs it, or explains what there is. */
export const dispatch = (argv: ReadonlyArray<string>): void => {
  if (argv[0] === "__complete") return launch(complete, argv.slice(1))
  if (argv[0] === "--version" || argv[0] === "-V") return void process.stdout.write(`banger ${VERSION}\n`)
  const found = find(argv)
  if (found !== undefined) {
    const { args, entry: { command } } = found
    return wantsHelp(args) ? void process.stdout.write(commandHelp(command)) : launch(command, args)
  }
  const group = argv[0] !== undefined && GROUPS.has(argv[0]) ? argv[0] : ""
  const beyond = argv.slice(group === "" ? 0 : 1).filter((word) => word !== "--help" && word !== "-h" && word !== "help")
  if (beyond.length === 0 && (argv.length === 0 || wantsHelp(argv) || argv[0] === "help")) {
    return void process.stdout.write(group === "" ? wholeHelp() : groupHelp(group))
  }
  process.stderr.write(renderFailure(missed(group, beyond[0]), argv.includes("--json")))
  process.exitCode = 2
}
