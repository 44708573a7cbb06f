import * as fs from "node:fs/promises"
import * as os from "node:os"
import { BadConfig } from "@banger/domain/config-file.ts"
import { decodeConfig, hostDefaults, type UserConfig } from "@banger/domain/config.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The user's configuration, read anew by each operation. */
export class Config extends Context.Tag("@banger/daemon/Config")<Config, {
  readonly read: Effect.Effect<UserConfig, BadConfig>
  readonly host: ReturnType<typeof hostDefaults>
}>() {
  static readonly layer = (path: string) =>
    Layer.succeed(Config, {
      host: hostDefaults(os.availableParallelism(), os.totalmem()),
      read: Effect.tryPromise({
        try: () => fs.readFile(path, "utf8").catch((error: unknown) => {
          if (error instanceof Error && "code" in error && error.code === "ENOENT") return ""
          throw error
        }),
        catch: (error) => new BadConfig({ path, problem: error instanceof Error ? error.message : String(error) })
      }).pipe(Effect.flatMap((text) => decodeConfig(path, text)))
    })
}
