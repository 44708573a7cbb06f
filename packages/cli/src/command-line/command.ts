import type * as Effect from "effect/Effect"
import { type Flags, parseFlags, type Values } from "./flags.ts"
import { Misuse } from "./misuse.ts"

export interface Arguments {
  /** As the usage line shows it: `NAME...`, `[PATH]`. */
  readonly usage: string
  readonly min: number
  readonly max: number
}

export interface Input<F extends Flags> {
  readonly flags: Values<F>
  readonly args: ReadonlyArray<string>
  /** What stands after `--`; `undefined` without one. */
  readonly rest: ReadonlyArray<string> | undefined
}

/** One subcommand: what it takes, how it is explained, what it does. */
export interface Command<F extends Flags = Flags> {
  readonly path: string
  readonly about: string
  readonly arguments: Arguments
  /** What may stand after `--`. */
  readonly rest: string | undefined
  readonly flags: F
  readonly examples: readonly [string, ...ReadonlyArray<string>]
  /** Fields of `--json`, one line each. */
  readonly fields: ReadonlyArray<string>
  /** The status for banger's own failures: 125 where other numbers are the guest's. */
  readonly ownFailure: number | undefined
  /** Gives the exit status. */
  readonly run: (input: Input<F>) => Effect.Effect<number, unknown>
}

type Optional = "arguments" | "rest" | "fields" | "ownFailure"

export const NONE: Arguments = { usage: "", min: 0, max: 0 }
export const one = (usage: string): Arguments => ({ usage, min: 1, max: 1 })
export const several = (usage: string): Arguments => ({ usage, min: 0, max: Infinity })

export const command = <F extends Flags>(given: Omit<Command<F>, Optional> & Partial<Pick<Command<F>, Optional>>): Command =>
  ({ arguments: NONE, rest: undefined, fields: [], ownFailure: undefined, ...given }) as unknown as Command

/** Reads a command line after the words that name the command. */
export const parse = (command: Command, argv: ReadonlyArray<string>): Input<Flags> => {
  const help = `banger ${command.path} --help`
  const at = argv.indexOf("--")
  const { positionals, values } = parseFlags(command.flags, at === -1 ? argv : argv.slice(0, at), help)
  const rest = at === -1 ? undefined : argv.slice(at + 1)
  const misuse = (problem: string) => new Misuse(problem, `usage: ${usage(command)}`)
  if (rest !== undefined && command.rest === undefined) throw misuse("nothing may stand after --")
  if (positionals.length < command.arguments.min) throw misuse(`${command.arguments.usage} is missing`)
  if (positionals.length > command.arguments.max) {
    const extra = positionals[command.arguments.max]
    throw misuse(command.rest !== undefined && rest === undefined ? `put -- before ${extra}` : `${JSON.stringify(extra)} is one argument too many`)
  }
  return { flags: values, args: positionals, rest }
}

export const usage = (command: Command): string =>
  ["banger", command.path, command.arguments.usage, Object.keys(command.flags).length > 0 ? "[flags]" : "", command.rest ?? ""]
    .filter((part) => part !== "").join(" ")
