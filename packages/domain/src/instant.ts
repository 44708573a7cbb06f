import * as Schema from "effect/Schema"
import { about } from "./about.ts"

/** Milliseconds since 1970, within what a calendar has (ECMAScript's limit: 8.64e15). */
export const Milliseconds = Schema.Number.pipe(Schema.between(0, 8.64e15, { message: () => "expected milliseconds since 1970" }))

/** A moment: milliseconds since 1970 for us, ISO 8601 for whoever reads `--json`. */
export const Instant = Schema.transform(
  Schema.String.pipe(about("ISO 8601, UTC"), Schema.filter((text) => Date.parse(text) >= 0 || "expected a time such as 2026-01-31T12:00:00.000Z")),
  Milliseconds,
  { strict: true, decode: (text) => Date.parse(text), encode: (ms) => new Date(ms).toISOString() }
)
