import { lstatSync, watch } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

const stands = (file: string) => lstatSync(file, { throwIfNoEntry: false })?.isSocket() === true

/** Woken by inotify on the socket's directory; fails where the host has no watch left to give. */
const watched = (file: string): Effect.Effect<void, Error> =>
  Effect.async((resume) => {
    try {
      const watcher = watch(path.dirname(file), () => look()).on("error", (error) => resume(Effect.fail(error)))
      const look = () => { if (stands(file)) resume(Effect.void) }
      look()
      return Effect.sync(() => watcher.close())
    } catch (error) {
      return resume(Effect.fail(error instanceof Error ? error : new Error(String(error))))
    }
  })

/** Completes when the path is a socket. A used-up inotify quota, which all of the owner's programs share, only costs looking. */
export const socketAt = (file: string): Effect.Effect<void> =>
  Effect.catchAll(watched(file), () => Effect.repeat(Effect.sync(() => stands(file)), { until: (found) => found, schedule: Schedule.spaced("20 millis") }).pipe(Effect.asVoid))
