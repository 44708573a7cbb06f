import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { VmId } from "@banger/domain/ids.ts"
import type { CannotRemove } from "@banger/capabilities/lease.ts"

export class MailboxFailed extends Schema.TaggedError<MailboxFailed>()("MailboxFailed", { problem: Schema.String }) {
  override get message() {
    return `mailbox: ${this.problem}`
  }
  get hint() {
    return "banger doctor says what is missing"
  }
}

/** A run's mailbox: the guest can leave messages in the file. */
export class Mailbox extends Context.Tag("mailbox/Mailbox")<Mailbox, { readonly file: string }>() {}

/** A guest that connects to CID 2 on this port arrives at `<socket>_1030`. banger's own ports end at 1025. */
export const MAILBOX_PORT = 1030

/** Host service: the mailbox files, and the sockets on which guests reach them. */
export class Mailboxes extends Context.Tag("mailbox/Mailboxes")<Mailboxes, {
  readonly file: (vm: VmId) => string
  /** Safe to repeat: an existing mailbox keeps its messages. */
  readonly ensure: (vm: VmId) => Effect.Effect<void, MailboxFailed>
  /** Succeeds when there is none. */
  readonly remove: (vm: VmId) => Effect.Effect<void, CannotRemove>
  /** Takes messages until the mailbox holds `maxBytes`, for as long as the scope lives. */
  readonly serve: (vm: VmId, socket: string, maxBytes: number) => Effect.Effect<void, MailboxFailed, Scope.Scope>
  /** Where the mailboxes lie, and what speaks against writing there. */
  readonly status: Effect.Effect<{ readonly directory: string; readonly problem: string | null }>
}>() {}
