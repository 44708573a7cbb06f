import * as Args from "@effect/cli/Args"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Options from "@effect/cli/Options"
import type * as ValidationError from "@effect/cli/ValidationError"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import type * as Terminal from "@effect/platform/Terminal"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { meant } from "@banger/domain/nearest.ts"
import { sorter } from "./adapter.ts"
import { usageOf } from "./arguments.ts"
import { type Candidates, candidatesOf } from "./candidates.ts"
import { type Flag, flagsOf } from "./flags.ts"
import { paragraphs } from "./help-doc.ts"
import type { Json } from "./json.ts"
import { Misuse } from "./misuse.ts"

/** What was typed, by the command's own declarations. */
export interface Input<F, A> {
  readonly flags: F
  readonly args: A
  /** What stands after `--`; `undefined` without one. */
  readonly rest: ReadonlyArray<string> | undefined
}

/** One subcommand: how it is explained, what it does. */
export interface Command {
  readonly path: string
  readonly about: string
  readonly usage: string
  readonly flags: ReadonlyArray<Flag>
  /** What may be given as arguments, and how many of them. */
  readonly argument: { readonly candidates: Candidates | undefined; readonly most: number }
  /** Whether a command of another program may stand after `--`. */
  readonly takesRest: boolean
  readonly examples: readonly [string, ...ReadonlyArray<string>]
  /** The values that it prints with `--json`, one entry a flag. */
  readonly json: ReadonlyArray<Json>
  /** The status for banger's own failures: 125 where other numbers are the guest's. */
  readonly ownFailure: number | undefined
  /** Reads the words after those that name the command, and does nothing; fails with a Misuse. */
  readonly read: (argv: ReadonlyArray<string>) => Effect.Effect<unknown, Misuse>
  /** Reads them, and does it; gives the exit status. */
  readonly run: (argv: ReadonlyArray<string>) => Effect.Effect<number, unknown>
}

interface Declaration<F, A> extends Pick<Command, "path" | "about" | "examples"> {
  readonly flags: Options.Options<F>
  readonly args: Args.Args<A>
  /** What may stand after `--`, as the usage line shows it. */
  readonly rest?: string
  readonly json?: Json | ReadonlyArray<Json>
  readonly ownFailure?: number
  readonly run: (input: Input<F, A>) => Effect.Effect<number, unknown>
}

const CONFIG = CliConfig.make({ isCaseSensitive: true })

/** The parser's types ask for all three. None of our declarations uses a file, a path or a prompt, and making the real ones takes longer than the parse. */
const SERVICES = Context.make(FileSystem.FileSystem, FileSystem.makeNoop({})) as Context.Context<FileSystem.FileSystem | Path.Path | Terminal.Terminal>

/** Makes a command of its declaration. What follows from that alone is made here, so when banger is built. */
export const command = <F, A>(given: Declaration<F, A>): Command => {
  const flags = flagsOf(given.flags)
  const argument = usageOf(given.args)
  const usage = ["banger", given.path, argument, flags.length > 0 ? "[flags]" : "", given.rest ?? ""].filter((part) => part !== "").join(" ")
  const [min, max] = [Args.getMinSize(given.args), Args.getMaxSize(given.args)]
  const sort = sorter(flags)
  const misuse = (problem: string, near: ReadonlyArray<string> = []) => new Misuse(problem, meant(near, `banger ${given.path} --help shows what it takes`))
  // Of several values that do not fit, the library tells all; of an argument, the first paragraph what is wrong and the second what mends it.
  const unread = ({ error }: ValidationError.ValidationError) => misuse(paragraphs(error)[0] ?? "the flags are not understood")
  const unfitting = ({ error }: ValidationError.ValidationError) => {
    const [problem = "the arguments are not understood", hint] = paragraphs(error)
    return hint === undefined ? misuse(problem) : new Misuse(problem, hint)
  }
  const read = (argv: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const { args, given: values, rest } = yield* Effect.mapError(sort(argv), ({ near, problem }) => misuse(problem, near))
      const options = yield* Effect.mapError(Options.parse(given.flags, values, CONFIG), unread)
      const unfit = (problem: string) => Effect.fail(new Misuse(problem, `usage: ${usage}`))
      if (rest !== undefined && given.rest === undefined) return yield* unfit("nothing may stand after --")
      if (args.length < min) return yield* unfit(`${argument} is missing`)
      const extra = args[max]
      if (extra !== undefined) return yield* unfit(given.rest !== undefined && rest === undefined ? `put -- before ${extra}` : `${JSON.stringify(extra)} is one argument too many`)
      const [, named] = yield* Effect.mapError(Args.validate(given.args, args, CONFIG), unfitting)
      return { flags: options, args: named, rest }
    }).pipe(Effect.provide(SERVICES))
  return {
    path: given.path, about: given.about, usage, flags, argument: { candidates: candidatesOf(given.args), most: max }, takesRest: given.rest !== undefined, examples: given.examples, json: given.json === undefined ? [] : [given.json].flat(), ownFailure: given.ownFailure,
    read,
    run: (argv) => Effect.flatMap(read(argv), given.run)
  }
}
