import { readFile } from "node:fs/promises"
import { homedir } from "node:os"
import * as Effect from "effect/Effect"
import { BadConfig, decodeConfig } from "@banger/domain/config.ts"
import * as Toml from "smol-toml"

/** The user's configuration, of which the daemon reads its own part itself. */
export const userConfig = Effect.suspend(() => {
  const path = `${homedir()}/.config/banger/config.toml`
  return Effect.tryPromise({
    try: async () => {
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined
        throw error
      })
      return text === undefined ? {} : Toml.parse(text)
    },
    catch: (error) => new BadConfig({ path, problem: error instanceof Error ? error.message : String(error) })
  }).pipe(Effect.flatMap((parsed) => decodeConfig(path, parsed)))
})
