import { existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import { run } from "./exec.ts"

/** The first line that a host tool prints about its version, or null where the tool is missing or broken. */
export const version = (argv: readonly [string, ...ReadonlyArray<string>]): Effect.Effect<string | null> =>
  run(argv, { timeoutMs: 5_000 }).pipe(
    Effect.map((stdout) => stdout.trim().split("\n")[0] ?? ""),
    Effect.orElseSucceed(() => null)
  )

/** Where a host tool lies, or null. */
export const toolPath = (name: string): string | null =>
  ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map((directory) => `${directory}/${name}`).find(existsSync) ?? null
