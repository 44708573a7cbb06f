import * as Schema from "effect/Schema"

/** What a readiness check found. `fix` is a command, or a sentence that names one. */
export const Verdict = Schema.Union(
  Schema.TaggedStruct("Ready", { detail: Schema.String }),
  Schema.TaggedStruct("Warning", { problem: Schema.String, fix: Schema.String }),
  Schema.TaggedStruct("NotReady", { problem: Schema.String, fix: Schema.String })
)
export type Verdict = typeof Verdict.Type

export const ready = (detail: string): Verdict => ({ _tag: "Ready", detail })
export const warning = (problem: string, fix: string): Verdict => ({ _tag: "Warning", problem, fix })
export const notReady = (problem: string, fix: string): Verdict => ({ _tag: "NotReady", problem, fix })

export class Finding extends Schema.Class<Finding>("Finding")({
  capability: Schema.String,
  check: Schema.String,
  verdict: Verdict
}) {}
