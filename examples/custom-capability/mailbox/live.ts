import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { VmSpec } from "@banger/domain/vm.ts"
import type { Capability, Estate } from "@banger/capabilities/capability.ts"
import { Vsock } from "@banger/capabilities/vsock/contract.ts"
import { checks } from "./check.ts"
import { Mailbox, MAILBOX_PORT, Mailboxes, type MailboxFailed } from "./contract.ts"
import { guest } from "./guest.ts"
import { type BadMailboxOptions, options } from "./options.ts"

/** The file: made at create, where bad options are refused too, kept over stops, removed at delete. */
const estate: Estate<MailboxFailed | BadMailboxOptions, Mailboxes> = {
  ensure: (spec) => Effect.zipRight(options(spec), Effect.flatMap(Mailboxes, (mailboxes) => mailboxes.ensure(spec.id))),
  remove: ({ id }) => Effect.flatMap(Mailboxes, (mailboxes) => mailboxes.remove(id))
}

/** The listener is an attachment: it lives in the daemon, goes with it, and an adopting daemon listens again. */
const layer = (spec: VmSpec) =>
  Layer.scoped(Mailbox, Effect.gen(function*() {
    const [mailboxes, vsock, { maxBytes }] = yield* Effect.all([Mailboxes, Vsock, options(spec)])
    yield* mailboxes.serve(spec.id, `${vsock.socket}_${MAILBOX_PORT}`, maxBytes)
    return { file: mailboxes.file(spec.id) }
  }))

export const mailbox: Capability<Mailbox, MailboxFailed | BadMailboxOptions, Mailboxes | Vsock, Mailboxes> = {
  name: "mailbox",
  estate,
  layer,
  // Nothing of a run outlives the daemon: the socket goes with the VM's socket directory.
  reclaim: () => Effect.void,
  guest,
  checks
}
