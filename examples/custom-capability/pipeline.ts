import { pipe } from "effect/Function"
import { stage } from "@banger/capabilities/compose.ts"
import { type HostServices as Standard, pipeline as standard } from "@banger/capabilities/pipeline.ts"
import type { Mailboxes } from "./mailbox/contract.ts"
import { mailbox } from "./mailbox/live.ts"

/** banger's own list, and one line. */
export const pipeline = pipe(
  standard,
  stage(mailbox)
)

export type HostServices = Standard | Mailboxes
