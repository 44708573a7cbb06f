import { run } from "@banger/capabilities/exec.ts"
import { BadConfig } from "@banger/domain/config-file.ts"
import { decodeConfig } from "@banger/domain/config.ts"
import { type HostConfig, wishOf } from "@banger/domain/host-config.ts"
import * as Effect from "effect/Effect"
import type { InstallRecord } from "../settings.ts"

/** Bytes: far above what a configuration has. */
const MOST = 1 << 20

/**
 * What the owner wishes of the host. The file is read as its owner, so that a link in the owner's home, whoever made it, leads to
 * nothing that the owner may not read; nothing of it is run, and a FIFO or an endless file is given up.
 */
export const readWish = ({ home, name }: InstallRecord["owner"]): Effect.Effect<HostConfig, BadConfig> => {
  const path = `${home}/.config/banger/config.toml`
  return run(["runuser", "-u", name, "--", "timeout", "10", "head", "-c", String(MOST + 1), "--", path]).pipe(
    // Of the file, not of a program that is missing.
    Effect.catchIf(({ stderr }) => /cannot open .*: No such file or directory/.test(stderr), () => Effect.succeed("")),
    Effect.mapError(({ exitCode, message }) => new BadConfig({ path, problem: exitCode === 124 ? "it cannot be read to its end" : message })),
    Effect.filterOrFail((text) => text.length <= MOST, () => new BadConfig({ path, problem: "it is larger than a mebibyte" })),
    Effect.flatMap((text) => decodeConfig(path, text)),
    Effect.map(wishOf)
  )
}
