import { constants, watch } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import { changes } from "@banger/capabilities/changes.ts"
import { LocalFailure } from "../failure/errors.ts"
import type { Write } from "./text.ts"

/** Bytes read at once. */
const CHUNK = 64 << 10
const NEWLINE = 0x0a

/**
 * A guest writes what it likes on its console. On a terminal only text, line ends and colours are shown: other escape
 * sequences could change the terminal, or make it type. Files and pipes get every byte.
 */
// oxlint-disable-next-line no-control-regex
const HARMFUL = /\x1b\[[0-9;]*m|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]/g

/** The beginning of one of those, at the end of a piece: what follows it decides. A colour has a dozen characters at most. */
// oxlint-disable-next-line no-control-regex
const UNDECIDED = /(\x1b(\[[0-9;]{0,16})?|\xc2)$/

/** Takes a log's pieces in turn and gives what may be shown of it. */
export const shownOn = (terminal: boolean): (bytes: Buffer) => Buffer => {
  let kept = ""
  return (bytes) => {
    if (!terminal) return bytes
    const text = kept + bytes.toString("latin1")
    kept = UNDECIDED.exec(text)?.[0] ?? ""
    return Buffer.from(text.slice(0, text.length - kept.length).replace(HARMFUL, (found) => found.endsWith("m") ? found : "?"), "latin1")
  }
}

/** Where the last `lines` lines of a file begin. */
const tailStart = async (file: fs.FileHandle, lines: number, end: number): Promise<number> => {
  if (lines === 0) return end
  const buffer = Buffer.alloc(CHUNK)
  let left = lines
  for (let at = end; at > 0;) {
    const from = Math.max(0, at - CHUNK)
    const { bytesRead } = await file.read(buffer, 0, at - from, from)
    for (let i = bytesRead - 1; i >= 0; i--) {
      // The end of the last line is not the beginning of another.
      if (buffer[i] === NEWLINE && from + i + 1 < end && --left === 0) return from + i + 1
    }
    at = from
  }
  return 0
}

const failure = (path: string) => (error: unknown) => {
  const { code, message } = error as NodeJS.ErrnoException
  const problem = code === "ENOENT" ? "the VM has written none yet" : message
  return new LocalFailure({ problem: `cannot read ${path}: ${problem}`, fix: code === "EACCES" ? "logs are the owner's: see banger daemon status" : "" })
}

/** Prints what lies between `at` and the file's end; gives the new place. A file that was shortened begins anew. */
const copy = (file: fs.FileHandle, path: string, at: number, write: Write, shown: (bytes: Buffer) => Buffer): Effect.Effect<number, LocalFailure> =>
  Effect.gen(function*() {
    const buffer = Buffer.allocUnsafe(CHUNK)
    const { size } = yield* Effect.tryPromise({ try: () => file.stat(), catch: failure(path) })
    let from = size < at ? 0 : at
    for (;;) {
      const { bytesRead } = yield* Effect.tryPromise({ try: () => file.read(buffer, 0, CHUNK, from), catch: failure(path) })
      if (bytesRead === 0) return from
      yield* write(shown(Buffer.from(buffer.subarray(0, bytesRead))))
      from += bytesRead
    }
  })

/** Where a log goes. */
export interface Sink {
  /** Whether it ends on a terminal, which is shown no more than text and colours. */
  readonly terminal: boolean
  readonly write: Write
}

interface Options {
  /** What is added later is printed too, until this returns; undefined: it is not. */
  readonly follow: Effect.Effect<void> | undefined
  readonly tail: number | undefined
  readonly to: Sink
}

/** Prints a log file, from its beginning or its last lines. */
export const showFile = (path: string, { follow, tail, to }: Options, watching: typeof watch = watch) =>
  Effect.scoped(Effect.gen(function*() {
    const file = yield* Effect.acquireRelease(
      // A VM that broke out of Firecracker could have put a link or a FIFO in the place of its log.
      Effect.tryPromise({ try: () => fs.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK), catch: failure(path) }),
      (opened) => Effect.promise(() => opened.close())
    )
    // Watched before the first reading, so that nothing falls between.
    const changed = follow === undefined ? undefined : yield* changes(path, () => Effect.void, watching)
    let at = tail === undefined ? 0 : yield* Effect.tryPromise({
      try: async () => tailStart(file, tail, (await file.stat()).size),
      catch: failure(path)
    })
    const shown = shownOn(to.terminal)
    at = yield* copy(file, path, at, to.write, shown)
    if (changed === undefined || follow === undefined) return
    const ended = yield* Effect.forkScoped(follow)
    for (let last = false; !last;) {
      last = yield* Effect.raceFirst(Effect.as(Queue.take(changed), false), Effect.as(Fiber.join(ended), true))
      at = yield* copy(file, path, at, to.write, shown)
    }
  }))
