import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Decode from "./decode.ts"
import { Misuse } from "./misuse.ts"

/** The argument that names an image or a kernel. */
export const named = <A extends string>(schema: Schema.Schema<A, string>, args: ReadonlyArray<string>) =>
  Effect.try({
    try: () => Decode.as(schema)(args[0] ?? ""),
    catch: (error) => new Misuse(`${JSON.stringify(args[0])}: ${(error as Error).message}`, "give a name that banger image list or banger kernel list shows")
  })
