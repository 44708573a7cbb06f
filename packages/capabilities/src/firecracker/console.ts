import { watch } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { changes } from "../changes.ts"
import { degraded, restored } from "../degraded.ts"
import { file, type FileFailed, readEnd } from "../files.ts"
import { MORE_WATCHES } from "../watched.ts"

/** Bytes looked at from the end of the log. */
const TAIL = 2048

/** The last line of a guest's console that says something, fit for a terminal; empty when there is none. */
export const consoleTail = (log: string): Effect.Effect<string> =>
  Effect.tryPromise(async () => {
    const handle = await fs.open(log, "r")
    try {
      const lines = (await readEnd(handle, TAIL)).toString("utf8").split(/[\r\n]+/).map((line) => line.replaceAll(/[^\x20-\x7e]/g, "").trim())
      return lines.findLast((line) => line !== "")?.slice(0, 200) ?? ""
    } finally {
      await handle.close()
    }
  }).pipe(Effect.orElseSucceed(() => ""))

/** Bytes: how long the log may become, and what is kept of it then. */
const LIMITS = { most: 16 << 20, kept: 1 << 20 }

/** systemd opened it for appending, so that Firecracker's next line follows ours. What is written in between is lost. */
const shorten = (log: string, { kept, most }: typeof LIMITS) =>
  file(log, async () => {
    const { size } = await fs.stat(log)
    if (size <= most) return
    const handle = await fs.open(log, "a+")
    try {
      const end = await readEnd(handle, kept)
      await handle.truncate(0)
      await handle.write(Buffer.concat([Buffer.from(`[banger: ${size - end.length} bytes of earlier output were dropped]\n`), end]))
    } finally {
      await handle.close()
    }
  })

/**
 * Keeps a guest that floods its console from filling the host's disk, for as long as the scope lives. The log itself is watched,
 * not its directory as by `watched`: the VM's disks lie there, too, and are written all the time.
 */
export const bounded = (log: string, limits = LIMITS, watching: typeof watch = watch): Effect.Effect<void, FileFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const what = `watch of ${log}`
    const unwatched = (problem: string) =>
      Effect.acquireRelease(degraded(what, { problem: `once a second instead, since no watch is to be had: ${problem}`, fix: MORE_WATCHES }), () => restored(what))
    const grown = yield* changes(log, unwatched, watching)
    // A log that grew too long while no daemon looked.
    yield* shorten(log, limits)
    yield* Queue.take(grown).pipe(
      Effect.zipRight(shorten(log, limits)),
      Effect.catchAll((error) => Effect.logWarning(error.message)),
      Effect.forever,
      Effect.forkScoped
    )
  })
