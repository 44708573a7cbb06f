import { access, constants, mkdtemp, rm, stat, statfs } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { LocalFailure } from "../failure/errors.ts"
import { STORE } from "../host/paths.ts"
import { size } from "@banger/domain/size.ts"

/** What the file system of the VMs' disks keeps free: a full one destroys them. The daemon's own limit. */
const RESERVE = 2 ** 31
/** Beside the files themselves: directories, and what the file system rounds up. */
const MARGIN = 1 << 20

/** Where TMPDIR leads nowhere, or to too little room, the next is taken. */
const places = () => [...new Set([tmpdir(), "/tmp", "/var/tmp"])]

/** Bytes that may be written to a directory; undefined when none may. */
const roomIn = async (directory: string): Promise<number | undefined> => {
  try {
    await access(directory, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = await statfs(directory)
    const ours = await stat(STORE).then(({ dev }) => dev, () => undefined)
    return bavail * bsize - ((await stat(directory)).dev === ours ? RESERVE : 0)
  } catch {
    return undefined
  }
}

/** A directory of ours with room for so many bytes, removed when the scope closes. */
export const temporary = (bytes: number): Effect.Effect<string, LocalFailure, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        for (const place of places()) {
          if ((await roomIn(place) ?? 0) >= bytes + MARGIN) return await mkdtemp(`${place}/banger-workspace-`)
        }
        throw new Error(`no room for ${size(bytes + MARGIN)} in ${places().join(", ")}`)
      },
      catch: (error) => new LocalFailure({
        problem: `cannot put temporary files aside: ${error instanceof Error ? error.message : error}`,
        fix: "TMPDIR=DIR names a directory with room"
      })
    }),
    (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }).catch(() => {}))
  )
