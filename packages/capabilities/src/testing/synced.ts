import { readlinkSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"

/** The files and directories that are synced while the scope lives, in order, each by its name at that moment. */
export const synced = Effect.map(
  Effect.acquireRelease(
    Effect.promise(async () => {
      const handle = await fs.open("/dev/null")
      const methods: Pick<fs.FileHandle, "sync"> = Object.getPrototypeOf(handle)
      await handle.close()
      const { sync } = methods
      const names: Array<string> = []
      methods.sync = function(this: fs.FileHandle) {
        names.push(readlinkSync(`/proc/self/fd/${this.fd}`))
        return sync.call(this)
      }
      return { names, restore: () => void (methods.sync = sync) }
    }),
    ({ restore }) => Effect.sync(restore)
  ),
  ({ names }): ReadonlyArray<string> => names
)
