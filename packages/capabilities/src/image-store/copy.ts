import { spawn } from "node:child_process"
import type * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CommandFailed } from "../exec.ts"
import { killed } from "../killed.ts"
import { Stored } from "./ops.ts"

/** The digest names the content however its holes lie (native/internal/store). */
const Copied = Schema.parseJson(Stored)

/** Runs banger-store on open files: it gets those, not names that could lead elsewhere by then. */
export const bangerStore = (argv: readonly [program: string, ...ReadonlyArray<string>], source: fs.FileHandle, cow?: fs.FileHandle) =>
  Effect.async<string, CommandFailed>((resume) => {
    const [program, ...args] = argv
    const child = spawn(program, args, { stdio: [source.fd, "pipe", "pipe", ...(cow === undefined ? [] : [cow.fd])], env: {} })
    let stdout = ""
    let stderr = ""
    child.stdout?.on("data", (text) => stdout += text)
    child.stderr?.on("data", (text) => stderr += text)
    const failed = (exitCode: number | null, said: string) => resume(new CommandFailed({ argv, exitCode, stderr: said }))
    child.on("error", (error) => failed(null, error.message))
    child.on("close", (status) => status === 0 ? resume(Effect.succeed(stdout)) : failed(status, stderr))
    return killed(child)
  }).pipe(
    Effect.flatMap(Schema.decode(Copied)),
    Effect.catchTag("ParseError", (error) => new CommandFailed({ argv, exitCode: 0, stderr: error.message }))
  )
