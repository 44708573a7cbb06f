import { parseArgs, type ParseArgsOptionsConfig } from "node:util"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import { nearest } from "@banger/domain/nearest.ts"
import { ownWords } from "./everywhere.ts"
import type { Flag } from "./flags.ts"

/** A command line in the form that `@effect/cli` reads as it was meant. */
export interface Words {
  /** What was given for each flag, under its whole name. */
  readonly given: HashMap.HashMap<string, ReadonlyArray<string>>
  readonly args: ReadonlyArray<string>
  /** What stands after `--`, untouched; `undefined` without one. */
  readonly rest: ReadonlyArray<string> | undefined
}

/** What is wrong with a command line, and the flags that may have been meant. */
export interface Wrong {
  readonly problem: string
  readonly near: ReadonlyArray<string>
}

const wrong = (problem: string, near: ReadonlyArray<string> = []) => Either.left({ problem, near })

/**
 * Sorts the words of a command line for `Options.parse` and `Args.validate`; fails with what is wrong. The library's own search
 * for flags takes unknown ones for arguments, `--env=A=1` too, a `y` behind a flag for its value, and `--version` behind `--` for its own.
 */
export const sorter = (flags: ReadonlyArray<Flag>): (argv: ReadonlyArray<string>) => Either.Either<Words, Wrong> => {
  const known = new Map(flags.flatMap((flag) => flag.names.map((name) => [name, flag] as const)))
  const options: ParseArgsOptionsConfig = {}
  for (const { names: [first, ...others], placeholder, short } of flags) {
    const type = placeholder === undefined ? "boolean" : "string"
    options[first] = { type, ...(short !== undefined && { short }) }
    for (const name of others) options[name] = { type }
  }
  return (argv) => {
    const [own, others] = ownWords(argv)
    const { tokens } = parseArgs({ args: [...own], options, allowPositionals: true, strict: false, tokens: true })
    const given = new Map<string, ReadonlyArray<string>>()
    const args: Array<string> = []
    for (const token of tokens) {
      if (token.kind === "positional") args.push(token.value)
      if (token.kind !== "option") continue
      const flag = known.get(token.name)
      if (flag === undefined) return wrong(`unknown flag ${token.rawName}`, token.rawName.startsWith("--") ? nearest(token.name, known.keys()).map((name) => `--${name}`) : [])
      const before = given.get(token.name) ?? []
      for (const name of flag.names) given.delete(name)
      if (flag.placeholder === undefined) {
        if (token.inlineValue === true) return wrong(`${token.rawName} takes no value`)
        given.set(token.name, [])
      } else if (token.value === undefined || (token.inlineValue === false && /^-./.test(token.value))) {
        return wrong(`${token.rawName} needs a value: ${flag.placeholder}`)
      } else {
        given.set(token.name, flag.repeated ? [...before, token.value] : [token.value])
      }
    }
    return Either.right({
      given: HashMap.fromIterable([...given].map(([name, values]) => [`--${name}`, values] as const)),
      args,
      rest: others.length === 0 ? undefined : others.slice(1)
    })
  }
}
