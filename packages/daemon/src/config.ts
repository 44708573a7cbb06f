import * as fs from "node:fs/promises"
import * as os from "node:os"
import { BadConfig, decodeConfig, type UserConfig } from "@banger/domain/config.ts"
import { DEFAULT_DISK_MIB } from "@banger/domain/vm.ts"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Toml from "smol-toml"

const MIB = 2 ** 20

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

/** Defaults from the host: a quarter of its CPUs, an eighth of its memory. */
export const hostDefaults = (cpus: number, memoryBytes: number) => {
  const quarter = clamp(Math.floor(cpus / 4), 1, 4)
  return {
    // Firecracker takes 1 or an even number.
    vcpu: quarter === 3 ? 2 : quarter,
    memoryMib: clamp(Math.floor(memoryBytes / 8 / MIB), 512, 8192),
    diskMib: DEFAULT_DISK_MIB,
    nat: true
  }
}

/** The user's configuration, read anew by each operation. */
export class Config extends Context.Tag("@banger/daemon/Config")<Config, {
  readonly read: Effect.Effect<UserConfig, BadConfig>
  readonly host: ReturnType<typeof hostDefaults>
}>() {
  static readonly layer = (path: string) =>
    Layer.succeed(Config, {
      host: hostDefaults(os.availableParallelism(), os.totalmem()),
      read: Effect.tryPromise({
        try: async () => {
          const text = await fs.readFile(path, "utf8").catch((error: unknown) => {
            if (error instanceof Error && "code" in error && error.code === "ENOENT") return ""
            throw error
          })
          return Toml.parse(text)
        },
        catch: (error) => new BadConfig({ path, problem: error instanceof Error ? error.message : String(error) })
      }).pipe(Effect.flatMap((parsed) => decodeConfig(path, parsed)))
    })
}
