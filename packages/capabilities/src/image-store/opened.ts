import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { file, type FileFailed } from "../files.ts"
import { OpFailed } from "../op-failed.ts"

/** A file, open for reading until the scope closes; never what a link leads to, and never a wait for a FIFO's other end. */
export const opened = (path: string): Effect.Effect<fs.FileHandle, FileFailed, Scope.Scope> =>
  Effect.acquireRelease(
    file(path, () => fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)),
    (handle) => Effect.promise(() => handle.close())
  )

/**
 * The owner can exchange the file, its directory and its content at any time, so the decision and the copy are made on
 * one open file, which must be a regular file of the owner's: nothing that root alone can read gets into the store.
 */
export const openedOfOwner = (path: string, uid: number): Effect.Effect<fs.FileHandle, FileFailed | OpFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const handle = yield* opened(path)
    const stat = yield* file(path, () => handle.stat())
    if (stat.isFile() && stat.uid === uid) return handle
    return yield* new OpFailed({ subject: "image store", problem: "the staged file is not a regular file of the owner's", fix: "register the image again" })
  })
