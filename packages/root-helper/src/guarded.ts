import { Guarded } from "@banger/capabilities/helper.ts"
import { makeKeyedLock } from "@banger/capabilities/keyed-lock.ts"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { VmId } from "@banger/domain/ids.ts"

/** What an operation is about: its VM, its slot, or the capability as a whole. */
const subject = (payload: unknown): string =>
  typeof payload === "object" && payload !== null
    ? "vm" in payload ? String(payload.vm) : "slot" in payload ? `slot ${payload.slot}` : ""
    : ""

/** A VM's operations share one lock, since a jail holds what others make: its disk must not go while it is furnished. */
const lockOf = (op: string, about: string): string => Schema.is(VmId)(about) ? about : `${op.split(".")[0]} ${about}`

/** Operations that only look write no audit line. */
const looking = (op: string) => /\.(Find|\w*Facts|List|Hello|Leaks)$/.test(op)

/**
 * A remove must not overtake an ensure of the same thing, and an operation once begun ends, although the daemon that
 * asked for it dies: what it made is then found, or removed, whole.
 */
export const layer = Layer.sync(Guarded, () => {
  const locked = makeKeyedLock()
  return Guarded.of(({ next, payload, rpc }) => {
    const about = subject(payload)
    return Effect.suspend(() => {
      const began = performance.now()
      return Effect.onExit(next, (exit) =>
        looking(rpc._tag)
          ? Effect.void
          : Effect.logInfo("audit").pipe(Effect.annotateLogs({
            op: rpc._tag,
            subject: about,
            result: Exit.isSuccess(exit) ? "ok" : Cause.pretty(exit.cause).split("\n")[0],
            ms: Math.round(performance.now() - began)
          })))
    }).pipe(locked(lockOf(rpc._tag, about)), Effect.uninterruptible)
  })
})
