import { parseArgs } from "node:util"
import { Misuse } from "./misuse.ts"

/** One flag of a command. `read` gets what was given for it, in order. */
export interface Flag<T> {
  readonly about: string
  readonly short: string | undefined
  /** What stands for the value in the help; `undefined` for a flag without one. */
  readonly placeholder: string | undefined
  /** `--no-<name>` exists too. */
  readonly negatable: boolean
  readonly read: (given: ReadonlyArray<string | boolean>) => T
}

export type Flags = Readonly<Record<string, Flag<unknown>>>
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

/** Turns the text of a flag or argument into a value; throws an Error that says what was expected. */
export type Decode<T> = (text: string) => T

const last = <T>(given: ReadonlyArray<T>): T | undefined => given[given.length - 1]

export const on = (about: string, short?: string): Flag<boolean> => ({
  about, short, placeholder: undefined, negatable: false, read: (given) => given.length > 0
})

/** `--x` and `--no-x`; `undefined` when neither is given. */
export const either = (about: string): Flag<boolean | undefined> => ({
  about, short: undefined, placeholder: undefined, negatable: true, read: (given) => last(given) as boolean | undefined
})

export const value = <T>(placeholder: string, about: string, decode: Decode<T>, short?: string): Flag<T | undefined> => ({
  about, short, placeholder, negatable: false,
  read: (given) => given.length === 0 ? undefined : decode(String(last(given)))
})

export const list = <T>(placeholder: string, about: string, decode: Decode<T>, short?: string): Flag<ReadonlyArray<T>> => ({
  about, short, placeholder, negatable: false, read: (given) => given.map((text) => decode(String(text)))
})

export const json = on("print JSON instead of text")

interface Parsed<F extends Flags> {
  readonly values: Values<F>
  readonly positionals: ReadonlyArray<string>
}

/** Reads flags and arguments, in any order. `help` is the command that explains them. */
export const parseFlags = <F extends Flags>(flags: F, args: ReadonlyArray<string>, help: string): Parsed<F> => {
  const misuse = (problem: string) => new Misuse(problem, `${help} shows what it takes`)
  const given = new Map<string, Array<string | boolean>>(Object.keys(flags).map((name) => [name, []]))
  const positionals: Array<string> = []
  const { tokens } = parseArgs({ args: [...args], options: options(flags), allowPositionals: true, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value)
    if (token.kind !== "option") continue
    const negated = token.name.startsWith("no-") && flags[token.name.slice(3)]?.negatable === true
    const name = negated ? token.name.slice(3) : token.name
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
    if (flag === undefined) throw misuse(`unknown flag ${token.rawName}`)
    if (flag.placeholder === undefined) {
      if (token.inlineValue === true) throw misuse(`${token.rawName} takes no value`)
      given.get(name)?.push(!negated)
    } else if (token.value === undefined || (token.inlineValue === false && /^-./.test(token.value))) {
      throw misuse(`${token.rawName} needs a value: ${flag.placeholder}`)
    } else {
      given.get(name)?.push(token.value)
    }
  }
  const read = ([name, flag]: [string, Flag<unknown>]) => {
    try {
      return [name, flag.read(given.get(name) ?? [])]
    } catch (error) {
      throw misuse(`--${name}: ${(error as Error).message}`)
    }
  }
  return { values: Object.fromEntries(Object.entries(flags).map(read)) as Values<F>, positionals }
}

const options = (flags: Flags) => {
  const all: Record<string, { type: "boolean" | "string"; short?: string }> = {}
  for (const [name, flag] of Object.entries(flags)) {
    all[name] = { type: flag.placeholder === undefined ? "boolean" : "string", ...(flag.short && { short: flag.short }) }
    if (flag.negatable) all[`no-${name}`] = { type: "boolean" }
  }
  return all
}
