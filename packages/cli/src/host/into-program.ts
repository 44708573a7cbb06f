import { spawn } from "node:child_process"
import type { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as Effect from "effect/Effect"
import { program } from "./paths.ts"

/** Bytes of a program's output that count: it says little. */
const MAX_SAID = 4_096

/**
 * Gives a stream to one of banger's programs, to its end; succeeds with what the program prints. A program that ends early breaks
 * the pipe, so its own words come first. The program ends with its stdin: when the stream breaks off, or this process does.
 */
export const intoProgram = (name: string, args: ReadonlyArray<string>, stream: Readable): Effect.Effect<string, Error> =>
  Effect.tryPromise({
    try: async () => {
      const child = spawn(program(name), args, { stdio: ["pipe", "pipe", "pipe"] })
      let [out, err] = ["", ""]
      child.stdout.on("data", (text) => out = (out + text).slice(-MAX_SAID))
      child.stderr.on("data", (text) => err = (err + text).slice(-MAX_SAID))
      const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve))
      const [sent, status] = await Promise.all([pipeline(stream, child.stdin).then(() => undefined, (error: Error) => error), ended])
      if (status !== 0) throw new Error(err.trim().split("\n")[0]?.replace(new RegExp(`^${name}: `), "") || `${name} ended`)
      if (sent !== undefined) throw sent
      return out
    },
    catch: (error) => error instanceof Error ? error : new Error(String(error))
  })
