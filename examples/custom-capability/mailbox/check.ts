import * as Effect from "effect/Effect"
import { notReady, ready } from "@banger/domain/readiness.ts"
import type { Check } from "@banger/capabilities/capability.ts"
import { Mailboxes } from "./contract.ts"

export const checks: ReadonlyArray<Check<Mailboxes>> = [{
  name: "directory",
  run: Effect.flatMap(Mailboxes, ({ status }) => status).pipe(
    Effect.map(({ directory, problem }) =>
      problem === null ? ready(directory) : notReady(`cannot write in ${directory}: ${problem}`, "sudo banger system install makes it anew")
    )
  )
}]
