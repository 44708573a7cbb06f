import * as Schema from "effect/Schema"
import { about } from "./about.ts"

/** What is wrong, and what mends it. */
const wrong = {
  problem: Schema.String.pipe(about("what is wrong; not of Ready")),
  fix: Schema.String.pipe(about("what mends it; not of Ready")),
  runs: Schema.Boolean.pipe(about("whether the fix is a command line that does it as it stands; not of Ready"))
}

/** What a readiness check found. */
export const Verdict = Schema.Union(
  Schema.TaggedStruct("Ready", { detail: Schema.String.pipe(about("what was seen; of Ready alone")) }),
  Schema.TaggedStruct("Warning", wrong),
  Schema.TaggedStruct("NotReady", wrong)
)
export type Verdict = typeof Verdict.Type

/** A command line that mends something, in contrast to advice. */
export interface Mend {
  readonly command: string
}
export const mend = (command: string): Mend => ({ command })

const fixed = (fix: string | Mend) => typeof fix === "string" ? { fix, runs: false } : { fix: fix.command, runs: true }

export const ready = (detail: string): Verdict => ({ _tag: "Ready", detail })
export const warning = (problem: string, fix: string | Mend): Verdict => ({ _tag: "Warning", problem, ...fixed(fix) })
export const notReady = (problem: string, fix: string | Mend): Verdict => ({ _tag: "NotReady", problem, ...fixed(fix) })

export class Finding extends Schema.Class<Finding>("Finding")({
  capability: Schema.String.pipe(about("whose check it is")),
  check: Schema.String.pipe(about("what was looked at")),
  verdict: Verdict
}) {}
