import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MemoryHost } from "@banger/capabilities/memory-host.ts"
import { MailboxFailed, Mailboxes } from "./contract.ts"

/** Mailboxes of the memory host. What a VM keeps begins with `estate `: the contract suite goes by that. */
export const layer = Layer.effect(Mailboxes, Effect.map(MemoryHost, (host) => ({
  file: (vm) => `/mailboxes/${vm}`,
  ensure: (vm) => host.add(`estate mailbox ${vm}`).pipe(Effect.mapError(({ message }) => new MailboxFailed({ problem: message }))),
  remove: (vm) => Effect.orDie(host.delete(`estate mailbox ${vm}`)),
  serve: (_vm, socket) =>
    Effect.acquireRelease(
      host.add(`listener ${socket}`).pipe(Effect.mapError(({ message }) => new MailboxFailed({ problem: message }))),
      () => Effect.orDie(host.delete(`listener ${socket}`))
    ),
  status: Effect.succeed({ directory: "/mailboxes", problem: null })
})))
