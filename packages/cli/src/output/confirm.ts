import { createInterface } from "node:readline/promises"
import * as Effect from "effect/Effect"

/** Whether somebody is there to be asked. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** A question on the terminal. No answer (end of file) is no. */
export const confirm = (question: string): Effect.Effect<boolean> =>
  Effect.acquireUseRelease(
    Effect.sync(() => createInterface({ input: process.stdin, output: process.stderr, terminal: false })),
    (lines) => Effect.promise((signal) => Promise.race([
      lines.question(`${question} [y/N] `, { signal }),
      new Promise<string>((resolve) => lines.once("close", () => resolve("")))
    ])).pipe(Effect.map((answer) => /^y(es)?$/i.test(answer.trim()))),
    (lines) => Effect.sync(() => lines.close())
  )
