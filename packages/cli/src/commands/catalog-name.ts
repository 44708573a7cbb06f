import * as Args from "@effect/cli/Args"
import type * as Schema from "effect/Schema"
import { fitting } from "../command-line/arguments.ts"
import type { Candidates } from "../command-line/candidates.ts"

/** The argument that names an image or a kernel. */
export const catalogName = <A, I extends string>(schema: Schema.Schema<A, I>, candidates: Candidates): Args.Args<A> =>
  Args.text({ name: "NAME" }).pipe(fitting(schema, "give a name that banger image list or banger kernel list shows", candidates))
