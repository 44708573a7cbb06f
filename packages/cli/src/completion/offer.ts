import type { Candidates } from "../command-line/candidates.ts"
import type { Command } from "../command-line/command.ts"
import { HELP, NO_PAGER } from "../command-line/everywhere.ts"
import type { Flag } from "../command-line/flags.ts"
import { below, find, nextWords } from "../command-line/find.ts"
import { GROUPS, SHORT } from "../command-line/tree.ts"

/** A word that may be typed, and what it is. */
export type Choice = readonly [word: string, about: string]

/** What may stand at the cursor. */
export type Offer =
  | { readonly _tag: "Choices"; readonly choices: ReadonlyArray<Choice> }
  /** Values behind what is typed of the word already, `--image=`; `given` are there and need not be offered again. */
  | { readonly _tag: "Values"; readonly of: Candidates; readonly prefix: string; readonly given: ReadonlyArray<string> }
  /** A command of another program, after `--`. */
  | { readonly _tag: "Command" }

const choices = (choices: ReadonlyArray<Choice>): Offer => ({ _tag: "Choices", choices })
const NOTHING = choices([])
const values = (of: Candidates | undefined, prefix: string, given: ReadonlyArray<string> = []): Offer =>
  of === undefined ? NOTHING : { _tag: "Values", of, prefix, given }

const EVERYWHERE: ReadonlyArray<Choice> = [HELP, NO_PAGER].map(({ about, name }) => [name, about])

/** A flag that is being given: its name, and whether its value stands in the same word. */
const flagIn = (flags: ReadonlyArray<Flag>, word: string): { readonly flag: Flag | undefined; readonly whole: boolean } => {
  if (word.startsWith("--")) {
    const [name, ...value] = word.slice(2).split("=")
    return { flag: flags.find(({ names }) => names.includes(name ?? "")), whole: value.length > 0 }
  }
  // A bundle: those before the first that takes a value take none.
  const letters = word.slice(1).split("")
  const at = letters.findIndex((letter) => flags.some(({ placeholder, short }) => short === letter && placeholder !== undefined))
  const letter = letters[at === -1 ? letters.length - 1 : at]
  return { flag: flags.find(({ short }) => short === letter), whole: at !== -1 && at < letters.length - 1 }
}

/** What is before the cursor: arguments, flags, and the flag whose value is to come. */
const read = (flags: ReadonlyArray<Flag>, words: ReadonlyArray<string>) => {
  const args: Array<string> = []
  const given = new Set<Flag>()
  let waiting: Flag | undefined
  for (const word of words) {
    if (waiting !== undefined) {
      waiting = undefined
    } else if (/^-./.test(word)) {
      const { flag, whole } = flagIn(flags, word)
      if (flag === undefined) continue
      given.add(flag)
      if (flag.placeholder !== undefined && !whole) waiting = flag
    } else {
      args.push(word)
    }
  }
  return { args, given, waiting }
}

const flagChoices = (flags: ReadonlyArray<Flag>, given: ReadonlySet<Flag>): ReadonlyArray<Choice> =>
  [...flags.filter((flag) => flag.repeated || !given.has(flag)).flatMap(({ about, names }) => names.map((name): Choice => [`--${name}`, about])), ...EVERYWHERE]

const inCommand = ({ argument, flags, takesRest }: Command, before: ReadonlyArray<string>, word: string): Offer => {
  if (before.includes("--")) return takesRest ? { _tag: "Command" } : NOTHING
  const { args, given, waiting } = read(flags, before)
  if (waiting !== undefined) return values(waiting.candidates, "")
  const equals = word.indexOf("=")
  if (word.startsWith("--") && equals !== -1) return values(flagIn(flags, word).flag?.candidates, word.slice(0, equals + 1))
  if (word.startsWith("-")) return choices(flagChoices(flags, given))
  if (args.length < argument.most) return values(argument.candidates, "", args)
  // Where no argument is taken, flags are all that can come.
  return word === "" && argument.most === 0 ? choices(flagChoices(flags, given)) : NOTHING
}

/** What may come first: groups, commands without one, and short forms. */
const firstChoices = (): ReadonlyArray<Choice> => [
  ...[...GROUPS].map(([name, { summary }]): Choice => [name, summary]),
  ...below(""),
  ...[...SHORT].map(([word, { summary }]): Choice => [word, summary])
]

/** What may stand for the last of the words, which may be empty, after the others. */
export const offer = (words: ReadonlyArray<string>): Offer => {
  const before = words.slice(0, -1)
  const word = words.at(-1) ?? ""
  const found = find(before)
  if (found !== undefined) return inCommand(found.entry.command, found.args, word)
  const next = before.length === 0 ? firstChoices() : nextWords(before)
  if (next.length === 0) return NOTHING
  if (word.startsWith("-")) return choices(before.length === 0 ? [...EVERYWHERE, ["--version", "the version"]] : EVERYWHERE)
  return choices(next)
}
