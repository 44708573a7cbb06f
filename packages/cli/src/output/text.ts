import * as Effect from "effect/Effect"

/** Returns when the bytes have been handed on, so that a slow reader is waited for. After a failure (the reader has gone) launch.ts ends the command. */
export const write = (stream: NodeJS.WriteStream, bytes: string | Uint8Array): Effect.Effect<void> =>
  Effect.async((resume) => void stream.write(bytes, (error) => error || resume(Effect.void)))

export const print = (text: string): Effect.Effect<void> => write(process.stdout, text)

export const say = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(`${text}\n`))

export const printJson = (value: unknown): Effect.Effect<void> => print(`${JSON.stringify(value, undefined, 2)}\n`)

/** Columns as wide as their widest cell, the first row a heading. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}\n`).join("")
}

/** Names and values, one a line. */
export const record = (rows: ReadonlyArray<readonly [string, string]>): string => {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd() + "\n").join("")
}
