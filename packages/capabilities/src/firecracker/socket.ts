import { lstatSync, watch } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"

/** Completes when the path is a socket; woken by inotify on its directory. */
export const socketAt = (file: string): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const watcher = watch(path.dirname(file), () => look())
    const look = () => {
      if (lstatSync(file, { throwIfNoEntry: false })?.isSocket() !== true) return
      watcher.close()
      resume(Effect.void)
    }
    look()
    return Effect.sync(() => watcher.close())
  })
