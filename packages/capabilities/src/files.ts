import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A file operation that the host refused. */
export class FileFailed extends Schema.TaggedError<FileFailed>()("FileFailed", {
  path: Schema.String,
  /** errno name, such as ENOSPC; empty when there is none. */
  code: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return this.code === "ENOSPC" ? `${this.path}: the host's disk is full` : this.problem
  }
}

const code = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : ""

/** Runs a file operation; `path` names what it is about. */
export const file = <A>(path: string, act: () => Promise<A>): Effect.Effect<A, FileFailed> =>
  Effect.tryPromise({
    try: act,
    catch: (error) => new FileFailed({ path, code: code(error), problem: error instanceof Error ? error.message : String(error) })
  })

/** Bytes that a file really takes on the disk: stat(2) counts blocks of 512. */
export const allocatedBytes = ({ blocks }: { readonly blocks: number }): number => blocks * 512

/** The last bytes of an open file, at most so many. */
export const readEnd = async (handle: fs.FileHandle, bytes: number): Promise<Buffer> => {
  const { size } = await handle.stat()
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, Math.max(0, size - bytes))
  return buffer.subarray(0, bytesRead)
}

/**
 * Removes a file that is of no use in part when its writer fails or is interrupted. A writer is interrupted when the daemon dies that
 * asked for the file.
 */
export const wholly = (path: string) => <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onError(write, () => Effect.ignoreLogged(file(path, () => fs.rm(path, { recursive: true, force: true }))))

/** Removes files of a directory that only we write, then the directory once it is empty. */
export const removeFile = (directory: string, paths: ReadonlyArray<string>): Effect.Effect<void, FileFailed> =>
  file(directory, async () => {
    await Promise.all(paths.map((path) => fs.rm(path, { force: true })))
    await fs.rmdir(directory).catch((error: unknown) => {
      if (!["ENOENT", "ENOTEMPTY"].includes(code(error))) throw error
    })
  })

/** Puts the names of a directory on the disk: until then a power cut may undo a rename in it. */
export const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await fs.open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a directory whose own name is on the disk when it returns. */
export const makeDirectory = async (directory: string, mode: number): Promise<void> => {
  await fs.mkdir(directory, { recursive: true, mode })
  await syncDirectory(dirname(directory))
}

/** Gives a file that is whole its name: content and name are on the disk when it returns, so a record that names it is true after a power cut. */
export const place = async (whole: string, path: string): Promise<void> => {
  const handle = await fs.open(whole, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await fs.rename(whole, path)
  await syncDirectory(dirname(path))
}

/** Writes a file so that a reader, or a crash at any point, meets the old content or the new, never a part. Durable when it returns. */
export const writeWhole = (path: string, content: string | Uint8Array, mode: number): Effect.Effect<void, FileFailed> =>
  file(path, async () => {
    const handle = await fs.open(`${path}.new`, "w", mode)
    try {
      await handle.writeFile(content)
      await handle.chmod(mode)
    } finally {
      await handle.close()
    }
    await place(`${path}.new`, path)
  }).pipe(wholly(`${path}.new`))
