/** What declarations of flags need beside `@effect/cli/Options`. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { type Candidates, offering, wordsOf } from "./candidates.ts"
import { withoutDefault } from "./flags.ts"
import { Misuse } from "./misuse.ts"
import { decoder } from "./values.ts"

/** What the flags of some declarations come to. */
export type ValuesOf<F> = { readonly [K in keyof F]: F[K] extends Options.Options<infer A> ? A : never }

const reader = <A, I extends string>(schema: Schema.Schema<A, I>, self: Options.Options<string>) => {
  const decode = decoder(schema)
  const name = Option.getOrElse(Options.getIdentifier(self), () => "")
  return (given: string) => Either.mapLeft(decode(given), (words) => ValidationError.invalidValue(HelpDoc.p(`${name}: ${words}`)))
}

/**
 * A value by a schema, in whose words an error comes: the library would print the tree of its types. `undefined` when it is not given.
 * What is offered for it while it is typed are `candidates`, or the schema's own words where it is made of them.
 */
export const as = <A, I extends string>(schema: Schema.Schema<A, I>, candidates: Candidates | undefined = wordsOf(schema)) => (self: Options.Options<string>): Options.Options<A | undefined> =>
  offering(candidates)(Options.withDefault(Options.mapEffect(self, reader(schema, self)), undefined))

/** The same of each value of a flag that may be given several times. */
export const each = <A, I extends string>(schema: Schema.Schema<A, I>, candidates: Candidates | undefined = wordsOf(schema)) => (self: Options.Options<string>): Options.Options<ReadonlyArray<A>> => {
  const read = reader(schema, self)
  return offering(candidates)(Options.mapEffect(Options.repeated(self), (given) => Effect.forEach(given, read)))
}

/** `--x` and `--no-x`; `undefined` when neither is given, which cannot be told from `--no-x` by the library's own default. */
export const either = (name: string): Options.Options<boolean | undefined> =>
  Options.withDefault(withoutDefault(Options.boolean(name, { negationNames: [`no-${name}`] })), undefined)

export const json = Options.boolean("json").pipe(Options.withDescription("print JSON instead of text"))

export const verbose = Options.boolean("verbose").pipe(Options.withAlias("v"), Options.withDescription("a line for each step with its time, also on a terminal"))

/** What a command cannot do without; `example` shows how it is given. */
export const needed = <A>(flag: string, value: A | undefined, example: string): Effect.Effect<A, Misuse> =>
  value === undefined ? Effect.fail(new Misuse(`${flag} is missing`, example)) : Effect.succeed(value)
