import * as Args from "@effect/cli/Args"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { type Candidates, offering, wordsOf } from "./candidates.ts"
import { decoder } from "./values.ts"

/** An argument by a schema. One that does not fit is named in the schema's words, with `hint` in the second line. `candidates`: as for `as` in options.ts. */
export const fitting = <A, I extends string>(schema: Schema.Schema<A, I>, hint: string, candidates: Candidates | undefined = wordsOf(schema)) => (self: Args.Args<string>): Args.Args<A> => {
  const decode = decoder(schema)
  return offering(candidates)(Args.mapEffect(self, (given) =>
    Either.mapLeft(decode(given), (words) => HelpDoc.blocks([HelpDoc.p(`${JSON.stringify(given)}: ${words}`), HelpDoc.p(hint)]))))
}

/** Arguments as a usage line shows them: `NAME`, `NAME...`, `[PATH]`, `SRC DST`. */
export const usageOf = (args: Args.Args<unknown>): string => {
  const name = Option.getOrElse(Args.getIdentifier(args), () => "").replace(/^<(.*)>$/, "$1")
  if (Args.getMaxSize(args) > 1 && !name.includes(" ")) return `${name}...`
  return name !== "" && Args.getMinSize(args) === 0 ? `[${name}]` : name
}
