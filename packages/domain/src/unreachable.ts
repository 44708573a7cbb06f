import * as Socket from "@effect/platform/Socket"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Why the other end of an RPC socket did not answer. */
export type Unreachable = "not running" | "forbidden" | "went away"

const errno = (error: unknown): string | undefined => {
  let at = error
  for (let depth = 0; depth < 5 && typeof at === "object" && at !== null; depth++) {
    if ("code" in at && typeof at.code === "string") return at.code
    at = "cause" in at ? at.cause : undefined
  }
  return undefined
}

/** Of an error of a socket, or of a client that wraps one. */
export const reasonOf = (error: unknown): Unreachable => {
  const code = errno(error)
  return code === "ENOENT" || code === "ECONNREFUSED" ? "not running" : code === "EACCES" ? "forbidden" : "went away"
}

/**
 * Turns the three shapes of a lost peer into one typed error: an RpcClientError, a SocketError as a defect (a call in
 * the instant after the close), and an interruption that came from the other side (its shutdown).
 */
export const unreachable = <E2>(make: (reason: Unreachable) => E2) =>
<A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, Exclude<E, RpcClientError> | E2, R> =>
  Effect.catchAllCause(call, (cause): Effect.Effect<never, Exclude<E, RpcClientError> | E2> => {
    const failure = Option.getOrUndefined(Cause.failureOption(cause))
    if (failure instanceof RpcClientError) return Effect.fail(make(reasonOf(failure)))
    if (Cause.isInterruptedOnly(cause)) return Effect.fail(make("went away"))
    const defect = Option.getOrUndefined(Cause.dieOption(cause))
    if (Socket.isSocketError(defect)) return Effect.fail(make(reasonOf(defect)))
    return Effect.failCause(cause as Cause.Cause<Exclude<E, RpcClientError>>)
  })
