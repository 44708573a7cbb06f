import * as Schema from "effect/Schema"

/** What mends a finding. `runs`: the fix is a command line for the owner's shell, which does it as it stands. */
const wrong = { problem: Schema.String, fix: Schema.String, runs: Schema.Boolean }

/** What a readiness check found. */
export const Verdict = Schema.Union(
  Schema.TaggedStruct("Ready", { detail: Schema.String }),
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
  capability: Schema.String,
  check: Schema.String,
  verdict: Verdict
}) {}
