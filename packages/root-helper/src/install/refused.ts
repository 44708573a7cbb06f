import * as Schema from "effect/Schema"

/** An install or uninstall that would do harm, or cannot work. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { problem: Schema.String, fix: Schema.String }) {
  override get message() {
    return this.problem
  }
  get hint() {
    return this.fix
  }
}
