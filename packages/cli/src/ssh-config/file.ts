import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { dirname, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { LocalFailure } from "../failure/errors.ts"
import { Unpaired } from "./block.ts"

const failed = (path: string) => (error: unknown) =>
  error instanceof Unpaired
    ? new LocalFailure({ problem: `${path}: the two lines that mark banger's block are not a pair any more`, fix: `remove by hand what is left of it: "# >>> banger: …" and "# <<< banger <<<"` })
    : new LocalFailure({ problem: error instanceof Error ? error.message : String(error), fix: "" })

const code = (error: unknown) => error instanceof Error && "code" in error ? error.code : undefined

/** The file that a path means: dotfiles are often links, which stay. The path itself where there is nothing yet. */
const real = async (path: string): Promise<string> => {
  try {
    return await fs.realpath(path)
  } catch (error) {
    if (code(error) !== "ENOENT") throw error
    // A link to nothing yet.
    const target = await fs.readlink(path).catch(() => undefined)
    return target === undefined ? path : resolve(dirname(path), target)
  }
}

const read = async (path: string) => {
  try {
    // Bytes that are no UTF-8 stay as they are.
    return { text: await fs.readFile(path, "latin1"), mode: (await fs.stat(path)).mode & 0o7777 }
  } catch (error) {
    if (code(error) !== "ENOENT") throw error
    return { text: "", mode: 0o600 }
  }
}

/** Changes a file's text, and says whether that made a difference. The file is exchanged whole: ssh reads the old one or the new one, and a full disk loses nothing. */
export const rewrite = (path: string, change: (text: string) => string): Effect.Effect<boolean, LocalFailure> =>
  Effect.tryPromise({
    try: async () => {
      const file = await real(path)
      const { mode, text } = await read(file)
      const wanted = change(text)
      if (wanted === text) return false
      await fs.mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const beside = `${file}.${randomBytes(4).toString("hex")}`
      try {
        await fs.writeFile(beside, wanted, { encoding: "latin1", flag: "wx", mode, flush: true })
        await fs.chmod(beside, mode)
        await fs.rename(beside, file)
      } catch (error) {
        await fs.rm(beside, { force: true })
        throw error
      }
      return true
    },
    catch: failed(path)
  })
