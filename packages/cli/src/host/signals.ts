import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP"
/** `pass`: it is left to whoever came before. */
type Handler = (signal: Signal) => "pass" | void

/** Whoever came last decides what a signal means: a session forwards it, otherwise it ends the command. */
const handlers: Array<Handler> = []

const deliver = (signal: Signal) => void handlers.findLast((handler) => handler(signal) !== "pass")

/** Called once, before anything else takes signals. */
export const takeSignals = (fallback: Handler): void => {
  handlers.unshift(fallback)
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, deliver)
}

/** Signals go to `handler` until the scope closes. */
export const onSignals = (handler: Handler): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void handlers.push(handler)),
    () => Effect.sync(() => void handlers.splice(handlers.lastIndexOf(handler), 1))
  )
