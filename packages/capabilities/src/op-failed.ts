import * as Schema from "effect/Schema"

/** A privileged operation that the host refused: on what, why, and what mends it. */
export class OpFailed extends Schema.TaggedError<OpFailed>()("OpFailed", {
  subject: Schema.String,
  problem: Schema.String,
  fix: Schema.String
}) {
  override get message() {
    return `${this.subject}: ${this.problem}`
  }
  get hint() {
    return this.fix
  }
}

/** Maps whatever a root-side step fails with to an `OpFailed` on `subject`. */
export const opFailed = (subject: string, fix = "banger doctor says what the host lacks") => (error: { readonly message: string }) =>
  error instanceof OpFailed ? error : new OpFailed({ subject, problem: error.message, fix })
