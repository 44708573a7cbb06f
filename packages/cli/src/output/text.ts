import * as Effect from "effect/Effect"
import { type Json, text } from "../command-line/json.ts"
import { makeRoom } from "./live-line.ts"

/** Hands bytes on; returns when they were taken. */
export type Write = (bytes: string | Uint8Array) => Effect.Effect<void>

/** Returns when the bytes have been handed on, so that a slow reader is waited for. After a failure (the reader has gone) launch.ts ends the command. */
export const write = (stream: NodeJS.WriteStream, bytes: string | Uint8Array): Effect.Effect<void> =>
  Effect.async((resume) => {
    makeRoom(stream, bytes)
    stream.write(bytes, (error) => error || resume(Effect.void))
  })

export const print: Write = (bytes) => write(process.stdout, bytes)

/** Writes a line to stderr at once. */
export const sayNow = (line: string): void => {
  makeRoom(process.stderr, "\n")
  process.stderr.write(`${line}\n`)
}

export const say = (line: string): Effect.Effect<void> => Effect.sync(() => sayNow(line))

export const printJson = <A>(json: Json<A>, value: A): Effect.Effect<void> => print(text(json, value))

/** Names and values, one a line. */
export const record = (rows: ReadonlyArray<readonly [string, string]>): string => {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd() + "\n").join("")
}
