import { find } from "./find.ts"
import { ownWords } from "./everywhere.ts"
import type { Entry } from "./tree.ts"

/** Where a command of banger's begins in a text of the shell, whatever quotes, loops or substitutions it stands in. */
const BEGINS = /(?<![\w./~-])(?:[\w./~-]*\/bin\/)?banger(?=[ \t]|$)/gm
/** What ends a command beside its line: another one, or the end of what it is in. */
const ENDS = /^[\n;|&)`]/
const REDIRECTS = /^\d*(?:<<<|<<|>>|>&|[<>])[ \t]*/
const BLANKS = /^(?:[ \t]|\\\n)+/
const PARTS = [/^'([^']*)'/, /^"((?:[^"\\]|\\.)*)"/s, /^\\(.)/s, /^(\$\((?:[^()]|\([^()]*\))*\))/, /^(\$\{[^}]*\})/, /^([^\s;|&<>)`'"\\])/]

/** The word that a text begins with, without its quotes, and what is left of the text. A quote that nothing closes is that of a text around the command. */
const word = (text: string): readonly [word: string | undefined, rest: string] => {
  let [given, rest]: [string | undefined, string] = [undefined, text]
  for (;;) {
    const part = PARTS.map((pattern) => pattern.exec(rest)).find((match) => match !== null)
    if (part === undefined) return [given, rest]
    given = `${given ?? ""}${part[1]}`
    rest = rest.slice(part[0].length)
  }
}

const wordsOf = (text: string): ReadonlyArray<string> => {
  const words: Array<string> = []
  let rest = text
  for (;;) {
    rest = rest.replace(BLANKS, "")
    if (rest === "" || ENDS.test(rest) || rest.startsWith("#")) return words
    const redirection = REDIRECTS.exec(rest)
    const [given, after] = word(redirection === null ? rest : rest.slice(redirection[0].length))
    if (given === undefined) return words
    if (redirection === null) words.push(given)
    rest = after
  }
}

/** The commands of banger in a text of the shell: what follows `banger` in each, but redirections. Comments have none. */
export const commandsIn = (script: string): ReadonlyArray<ReadonlyArray<string>> =>
  [...script.matchAll(BEGINS)].flatMap(({ 0: name, index }) => {
    const line = script.slice(script.lastIndexOf("\n", index) + 1, index)
    return /(?:^|\s)#(?:\s|$)/.test(line) ? [] : [wordsOf(script.slice(index + name.length))]
  })

/** The command that some words call, by which short form, and the flags that they give it by their whole names. `undefined` where they name none. */
export const callOf = (argv: ReadonlyArray<string>): { readonly entry: Entry; readonly flags: ReadonlyArray<string> } | undefined => {
  const found = find(argv)
  if (found === undefined) return undefined
  const { command } = found.entry
  const long = new Set(command.flags.flatMap(({ names }) => names))
  const flags = ownWords(found.args)[0].flatMap((given) => {
    const [, name, letters = ""] = /^(?:--([a-z-]+)|-([a-zA-Z]+))/.exec(given) ?? []
    if (name !== undefined) return long.has(name) ? [name] : []
    const short = [...letters].map((letter) => command.flags.find(({ short }) => short === letter))
    // What stands behind a letter that takes a value is that value.
    const last = short.findIndex((flag) => flag === undefined || flag.placeholder !== undefined)
    return short.slice(0, last === -1 ? undefined : last + 1).flatMap((flag) => flag === undefined ? [] : [flag.names[0]])
  })
  return { entry: found.entry, flags }
}
