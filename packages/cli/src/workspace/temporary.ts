import { access, constants, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { keepReserve } from "@banger/capabilities/reserve.ts"
import { size } from "@banger/domain/size.ts"
import { LocalFailure } from "../failure/errors.ts"
import { withHostReserve } from "../host/host-config.ts"

/** Beside the files themselves: directories, and what the file system rounds up. */
const MARGIN = 1 << 20

/** Where TMPDIR leads nowhere, or to too little room, the next is taken. */
const places = () => [...new Set([tmpdir(), "/tmp", "/var/tmp"])]

const failed = (error: unknown) =>
  new LocalFailure({
    problem: `cannot put temporary files aside: ${error instanceof Error ? error.message : error}`,
    fix: "TMPDIR=DIR names a directory with room"
  })

/** Writes to a directory of ours. */
export const writingAside = <A>(write: () => Promise<A>): Effect.Effect<A, LocalFailure> => Effect.tryPromise({ try: write, catch: failed })

/** Whether so many bytes may be written there: the VMs' disk keeps its reserve. */
const hasRoom = (place: string, bytes: number) =>
  Effect.isSuccess(Effect.zipRight(Effect.tryPromise(() => access(place, constants.W_OK | constants.X_OK)), withHostReserve(keepReserve("temporary files", bytes, place))))

/** A directory of ours with room for so many bytes, removed when the scope closes. */
export const temporary = (bytes: number): Effect.Effect<string, LocalFailure, Scope.Scope> =>
  Effect.gen(function*() {
    for (const place of places()) {
      if (!(yield* hasRoom(place, bytes + MARGIN))) continue
      return yield* Effect.acquireRelease(
        writingAside(() => mkdtemp(`${place}/banger-workspace-`)),
        (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }).catch(() => {}))
      )
    }
    return yield* failed(`no room for ${size(bytes + MARGIN)} in ${places().join(", ")}`)
  })
