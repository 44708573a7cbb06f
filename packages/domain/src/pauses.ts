import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { pausedFix } from "./errors.ts"

/** Of a VM's events, those that whoever works in the VM must know: that it stands still, with the reason, and that it goes on. */
export const pauses = (name: string) => <E, R>(events: Stream.Stream<string, E, R>): Stream.Stream<string, E, R> =>
  events.pipe(
    Stream.mapAccum(false, (was, event) => {
      const [, state, reason = ""] = /^\S+ (paused|running)(?:: (.*))?$/s.exec(event) ?? []
      const is = state === undefined ? was : state === "paused"
      const notice = is ? `${name} is paused: ${pausedFix(reason)}` : `${name} goes on`
      return [is, is === was ? Option.none() : Option.some(notice)] as const
    }),
    Stream.filterMap((notice) => notice)
  )
