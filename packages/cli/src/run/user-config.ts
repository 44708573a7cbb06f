import { readFile } from "node:fs/promises"
import { homedir } from "node:os"
import * as Effect from "effect/Effect"
import { BadConfig } from "@banger/domain/config-file.ts"
import { decodeConfig } from "@banger/domain/config.ts"

export const userConfigPath = () => `${homedir()}/.config/banger/config.toml`

/** A file's text; that of one that is not there is empty. */
export const configText = (path: string) =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return ""
      throw error
    }),
    catch: (error) => new BadConfig({ path, problem: error instanceof Error ? error.message : String(error) })
  })

/** The user's configuration, of which the daemon reads its own part itself. */
export const userConfig = Effect.suspend(() => Effect.flatMap(configText(userConfigPath()), (text) => decodeConfig(userConfigPath(), text)))
