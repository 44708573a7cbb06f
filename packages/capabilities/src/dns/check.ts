import * as Effect from "effect/Effect"
import { notReady, ready } from "@banger/domain/readiness.ts"
import type { Check } from "../capability.ts"
import { Dns } from "./contract.ts"

export const checks: ReadonlyArray<Check<Dns>> = [{
  name: "name server",
  run: Effect.flatMap(Dns, (server) => server.status).pipe(
    Effect.map(({ bound, failed }) =>
      failed.length > 0
        ? notReady(failed.join("; "), "ss -lntup shows who holds the port; then banger system restart")
        : ready(bound.join(", "))
    )
  )
}]
