import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { VmSpec } from "@banger/domain/vm.ts"

/** What a VM may say about its mailbox, in `spec.extra.mailbox`. */
export const MailboxOptions = Schema.Struct({
  /** Bytes the mailbox holds; later messages are refused. */
  maxBytes: Schema.optionalWith(
    Schema.Int.pipe(Schema.between(1_024, 1_048_576, { message: () => "expected 1024 to 1048576 bytes" })),
    { exact: true, default: () => 65_536 }
  )
})

export class BadMailboxOptions extends Schema.TaggedError<BadMailboxOptions>()("BadMailboxOptions", { problem: Schema.String }) {
  override get message() {
    return `extra.mailbox: ${this.problem}`
  }
  get hint() {
    return "{ \"maxBytes\": 65536 } is what it takes; all of it is optional"
  }
}

const decode = Schema.decodeUnknown(MailboxOptions, { onExcessProperty: "error" })

/** The options of a VM. banger passes them on unread, so this is where they are checked. */
export const options = ({ extra }: VmSpec): Effect.Effect<typeof MailboxOptions.Type, BadMailboxOptions> =>
  decode(extra["mailbox"] ?? {}).pipe(
    Effect.mapError((error) =>
      new BadMailboxOptions({
        problem: ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")
      })
    )
  )
