import * as fs from "node:fs/promises"
import * as os from "node:os"
import { BadConfig, HOST_CONFIG } from "@banger/domain/config-file.ts"
import { decodeConfig, hostDefaults, sshKeyOf, type UserConfig } from "@banger/domain/config.ts"
import { decodeHostConfig } from "@banger/domain/host-config.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A file's text; empty where there is none. */
const textOf = (path: string): Effect.Effect<string, BadConfig> =>
  Effect.tryPromise({
    try: () => fs.readFile(path, "utf8").catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return ""
      throw error
    }),
    catch: (error) => new BadConfig({ path, problem: error instanceof Error ? error.message : String(error) })
  })

/** What a file of the user's says; nothing where there is none. */
export const readConfig = (path: string): Effect.Effect<UserConfig, BadConfig> => Effect.flatMap(textOf(path), (text) => decodeConfig(path, text))

/** What root's file says by now, in contrast to what the helper goes by. */
export const readHostConfig = Effect.flatMap(textOf(HOST_CONFIG), decodeHostConfig)

/** The user's configuration, read anew by each operation. */
export class Config extends Context.Tag("@banger/daemon/Config")<Config, {
  readonly read: Effect.Effect<UserConfig, BadConfig>
  /** The private key that logs in to guests, with its .pub beside it. */
  readonly sshKey: Effect.Effect<string, BadConfig>
  readonly host: ReturnType<typeof hostDefaults>
}>() {
  static readonly layer = (path: string) =>
    Layer.sync(Config, () => {
      const read = readConfig(path)
      return { host: hostDefaults(os.availableParallelism(), os.totalmem()), read, sshKey: Effect.map(read, (config) => sshKeyOf(config, os.homedir())) }
    })
}
