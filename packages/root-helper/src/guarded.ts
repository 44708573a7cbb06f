import { Guarded } from "@banger/capabilities/helper.ts"
import { makeKeyedLock } from "@banger/capabilities/keyed-lock.ts"
import { OpKind } from "@banger/capabilities/op-kind.ts"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"

/** What of the payload an operation changes. One whose payload has no such field is a flaw: it would run unguarded. */
const subjectOf = (changes: OpKind["Type"]["changes"], payload: unknown): string => {
  if (changes === "everything") return ""
  const value = typeof payload === "object" && payload !== null ? Reflect.get(payload, changes) as unknown : undefined
  if (typeof value !== "string" && typeof value !== "number") throw new Error(`the operation has no ${changes}`)
  return changes === "slot" ? `slot ${value}` : String(value)
}

/**
 * A remove must not overtake an ensure of the same thing, and an operation once begun ends, although the daemon that
 * asked for it dies: what it made is then found, or removed, whole. What only looks waits for nothing.
 */
export const layer = Layer.sync(Guarded, () => {
  const locked = makeKeyedLock()
  return Guarded.of(({ next, payload, rpc }) =>
    Effect.suspend(() => {
      const { changes } = Context.unsafeGet(rpc.annotations, OpKind)
      if (changes === "nothing") return next
      const subject = subjectOf(changes, payload)
      // A VM's operations share one lock, since a jail holds what others make: its disk must not go while it is furnished.
      const lock = changes === "vm" ? subject : `${rpc._tag.split(".")[0]} ${subject}`
      return Effect.suspend(() => {
        const began = performance.now()
        return Effect.onExit(next, (exit) =>
          Effect.logInfo("audit").pipe(Effect.annotateLogs({
            op: rpc._tag,
            subject,
            result: Exit.isSuccess(exit) ? "ok" : Cause.pretty(exit.cause).split("\n")[0],
            ms: Math.round(performance.now() - began)
          })))
      }).pipe(locked(lock), Effect.uninterruptible)
    })
  )
})
