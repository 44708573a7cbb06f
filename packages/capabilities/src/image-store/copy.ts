import { spawn } from "node:child_process"
import type * as fs from "node:fs/promises"
import { Digest } from "@banger/domain/ids.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CommandFailed } from "../exec.ts"

/** `digest` names the content however its holes lie (native/internal/store). */
const Copied = Schema.parseJson(Schema.Struct({ digest: Digest, bytes: Schema.Number }))

/** Copies an open file to a new path with `program`, banger-store: it gets the file, not a name that could lead elsewhere by then. */
export const copySparse = (program: string, source: fs.FileHandle, path: string) =>
  Effect.async<string, CommandFailed>((resume) => {
    const child = spawn(program, [path], { stdio: [source.fd, "pipe", "pipe"], env: {} })
    let stdout = ""
    let stderr = ""
    child.stdout?.on("data", (text) => stdout += text)
    child.stderr?.on("data", (text) => stderr += text)
    const failed = (exitCode: number | null, said: string) => resume(new CommandFailed({ argv: [program, path], exitCode, stderr: said }))
    child.on("error", (error) => failed(null, error.message))
    child.on("close", (status) => status === 0 ? resume(Effect.succeed(stdout)) : failed(status, stderr))
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(
    Effect.flatMap(Schema.decode(Copied)),
    Effect.catchTag("ParseError", (error) => new CommandFailed({ argv: [program, path], exitCode: 0, stderr: error.message }))
  )
