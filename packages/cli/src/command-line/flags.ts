import type * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import { type Candidates, candidatesOf } from "./candidates.ts"
import { paragraphs } from "./help-doc.ts"

/** One flag of a command, as its declaration has it. */
export interface Flag {
  /** `nat` and `no-nat`: of several, the last one given counts. */
  readonly names: readonly [string, ...ReadonlyArray<string>]
  readonly short: string | undefined
  /** What stands for the value in the help; `undefined` for a flag without one. */
  readonly placeholder: string | undefined
  readonly repeated: boolean
  readonly about: string
  /** What may stand for its value; `undefined` where that cannot be told. */
  readonly candidates: Candidates | undefined
}

interface Single {
  readonly _tag: "Single"
  readonly name: string
  readonly aliases: ReadonlyArray<string>
  readonly placeholder: string
  readonly description: HelpDoc.HelpDoc
}

/** What an Options is made of, as far as ours are. The library's types do not say, so here is the one place that does. */
type Parts =
  | { readonly _tag: "Empty" }
  | Single
  | { readonly _tag: "Variadic"; readonly argumentOption: Single }
  | { readonly _tag: "Map" | "WithDefault"; readonly options: Options.Options<unknown> }
  | { readonly _tag: "Both" | "OrElse"; readonly left: Options.Options<unknown>; readonly right: Options.Options<unknown> }

const partsOf = (self: Options.Options<unknown>) => self as unknown as Parts

/** A declaration whose absence is an error again. The library lets a default be added, and not taken away. */
export const withoutDefault = <A>(self: Options.Options<A>): Options.Options<A> => {
  const parts = partsOf(self)
  return parts._tag === "WithDefault" ? parts.options as Options.Options<A> : self
}

const flagOf = (self: Options.Options<unknown>, { aliases, description, name, placeholder }: Single, repeated: boolean): Flag =>
  ({ names: [name], short: aliases[0], placeholder: Options.isBool(self) ? undefined : placeholder, repeated, about: paragraphs(description).join(" "), candidates: undefined })

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
    case "WithDefault": {
      const candidates = candidatesOf(self)
      return flagsOf(parts.options).map((flag) => ({ ...flag, candidates: flag.candidates ?? candidates }))
    }
    case "Both":
      return [...flagsOf(parts.left), ...flagsOf(parts.right)]
    case "OrElse": {
      const [first, ...others] = [...flagsOf(parts.left), ...flagsOf(parts.right)]
      return first === undefined ? [] : [{ ...first, names: [...first.names, ...others.flatMap(({ names }) => names)] }]
    }
  }
}
