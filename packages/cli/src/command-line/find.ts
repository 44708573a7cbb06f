import { type Entry, GROUPS, SHORT, TREE } from "./tree.ts"

/** The words that may follow some that name no command yet: `vm` is followed by `run`, `create`, `workspace`, … */
export const nextWords = (words: ReadonlyArray<string>): ReadonlyArray<readonly [word: string, summary: string]> => {
  const next = new Map<string, string>()
  for (const [path, { summary }] of TREE) {
    const named = path.split(" ")
    const word = named[words.length]
    if (word !== undefined && words.every((each, at) => each === named[at]) && !next.has(word)) next.set(word, summary)
  }
  return [...next]
}

/** The command that some words begin with, by its path or its short form, and the words after those that name it. */
export const find = (argv: ReadonlyArray<string>): { readonly entry: Entry; readonly args: ReadonlyArray<string> } | undefined => {
  for (const length of [3, 2, 1]) {
    const path = argv.slice(0, length).join(" ")
    const entry = TREE.get(path) ?? SHORT.get(path)
    if (entry !== undefined && argv.length >= length) return { entry, args: argv.slice(length) }
  }
  return undefined
}

/** The commands of a group, by their path: `vm` has `vm run`, `vm create`, …; those of no group without one. */
export const below = (group: string): ReadonlyArray<readonly [path: string, summary: string]> =>
  [...TREE].filter(([path]) => group === "" ? !path.includes(" ") : path.startsWith(`${group} `)).map(([path, { summary }]) => [path, summary])

/** What may stand first: groups, commands without one, and short forms. */
export const firstWords = (): ReadonlyArray<string> => [...GROUPS.keys(), ...below("").map(([path]) => path), ...SHORT.keys()]
