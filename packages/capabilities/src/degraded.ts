import type { Failure } from "@banger/domain/failure.ts"
import { ready, type Verdict, warning } from "@banger/domain/readiness.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

interface Trouble {
  readonly problem: string
  readonly fix: string
}

/** Work that goes on without a part of its purpose, by name, until it serves all of it again. Doctor shows the entries. */
export class Degraded extends Context.Reference<Degraded>()("@banger/capabilities/Degraded", {
  defaultValue: () => new Map<string, Trouble>()
}) {}

/** Adds an entry. The same problem is logged once, however often it is met. */
export const degraded = (what: string, { fix, problem }: Trouble): Effect.Effect<void> =>
  Effect.flatMap(Degraded, (all) => {
    const told = all.get(what)?.problem === problem
    all.set(what, { problem, fix })
    return told ? Effect.void : Effect.logWarning(`${what}: ${problem}`)
  })

export const restored = (what: string): Effect.Effect<void> => Effect.map(Degraded, (all) => void all.delete(what))

/** Work whose failure is no reason to fail for whoever asked for it. */
export const dispensable = (what: string, fix?: string) => <E extends Failure, R>(work: Effect.Effect<unknown, E, R>): Effect.Effect<void, never, R> =>
  Effect.matchEffect(work, {
    onSuccess: () => restored(what),
    onFailure: ({ hint, message }) => degraded(what, { problem: message, fix: fix ?? hint ?? "journalctl -u bangerd" })
  })

export const judge = (all: ReadonlyMap<string, Trouble>): Verdict =>
  all.size === 0
    ? ready("all of it works")
    : warning([...all].map(([what, { problem }]) => `${what}: ${problem}`).join("; "), [...new Set([...all.values()].map(({ fix }) => fix))].join("; "))
