/** What banger's declarations need beside those of `@effect/cli/Options`, and what is read back from them. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { paragraphs } from "./help-doc.ts"
import { Misuse } from "./misuse.ts"
import { decoder } from "./values.ts"

/** What the flags of some declarations, by name, come to. */
export type ValuesOf<F> = { readonly [K in keyof F]: F[K] extends Options.Options<infer A> ? A : never }

const reader = <A, I extends string>(schema: Schema.Schema<A, I>, self: Options.Options<string>) => {
  const decode = decoder(schema)
  const name = Option.getOrElse(Options.getIdentifier(self), () => "")
  return (given: string) => Either.mapLeft(decode(given), (words) => ValidationError.invalidValue(HelpDoc.p(`${name}: ${words}`)))
}

/** A value by a schema, in whose words an error comes: the library would print the tree of its types. `undefined` when it is not given. */
export const as = <A, I extends string>(schema: Schema.Schema<A, I>) => (self: Options.Options<string>): Options.Options<A | undefined> =>
  Options.withDefault(Options.mapEffect(self, reader(schema, self)), undefined)

/** The same of each value of a flag that may be given several times. */
export const each = <A, I extends string>(schema: Schema.Schema<A, I>) => (self: Options.Options<string>): Options.Options<ReadonlyArray<A>> => {
  const read = reader(schema, self)
  return Options.mapEffect(Options.repeated(self), (given) => Effect.forEach(given, read))
}

/** `--x` and `--no-x`; `undefined` when neither is given, which cannot be told from `--no-x` by the library's own default. */
export const either = (name: string): Options.Options<boolean | undefined> =>
  Options.withDefault(withoutDefault(Options.boolean(name, { negationNames: [`no-${name}`] })), undefined)

export const json = Options.boolean("json").pipe(Options.withDescription("print JSON instead of text"))

/** What a command cannot do without; `example` shows how it is given. */
export const needed = <A>(flag: string, value: A | undefined, example: string): Effect.Effect<A, Misuse> =>
  value === undefined ? Effect.fail(new Misuse(`${flag} is missing`, example)) : Effect.succeed(value)

/** One flag of a command, as its declaration has it. */
export interface Flag {
  /** `nat` and `no-nat`: of several, the last one given counts. */
  readonly names: readonly [string, ...ReadonlyArray<string>]
  readonly short: string | undefined
  /** What stands for the value in the help; `undefined` for a flag without one. */
  readonly placeholder: string | undefined
  readonly repeated: boolean
  readonly about: string
}

interface Single {
  readonly _tag: "Single"
  readonly name: string
  readonly aliases: ReadonlyArray<string>
  readonly placeholder: string
  readonly description: HelpDoc.HelpDoc
}

/** What an Options is made of, as far as ours are: the library's types do not say. */
type Parts =
  | { readonly _tag: "Empty" }
  | Single
  | { readonly _tag: "Variadic"; readonly argumentOption: Single }
  | { readonly _tag: "Map" | "WithDefault"; readonly options: Options.Options<unknown> }
  | { readonly _tag: "Both" | "OrElse"; readonly left: Options.Options<unknown>; readonly right: Options.Options<unknown> }

const partsOf = (self: Options.Options<unknown>) => self as unknown as Parts

const withoutDefault = <A>(self: Options.Options<A>): Options.Options<A> => {
  const parts = partsOf(self)
  return parts._tag === "WithDefault" ? parts.options as Options.Options<A> : self
}

const flagOf = (self: Options.Options<unknown>, { aliases, description, name, placeholder }: Single, repeated: boolean): Flag =>
  ({ names: [name], short: aliases[0], placeholder: Options.isBool(self) ? undefined : placeholder, repeated, about: paragraphs(description).join(" ") })

/** The flags that a declaration knows, in its order. */
export const flagsOf = (self: Options.Options<unknown>): ReadonlyArray<Flag> => {
  const parts = partsOf(self)
  switch (parts._tag) {
    case "Empty":
      return []
    case "Single":
      return [flagOf(self, parts, false)]
    case "Variadic":
      return [flagOf(self, parts.argumentOption, true)]
    case "Map":
    case "WithDefault":
      return flagsOf(parts.options)
    case "Both":
      return [...flagsOf(parts.left), ...flagsOf(parts.right)]
    case "OrElse": {
      const [first, ...others] = [...flagsOf(parts.left), ...flagsOf(parts.right)]
      return first === undefined ? [] : [{ ...first, names: [...first.names, ...others.flatMap(({ names }) => names)] }]
    }
  }
}
