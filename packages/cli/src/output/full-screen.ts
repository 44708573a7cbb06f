import * as Effect from "effect/Effect"
import { canRedraw, rowsOf } from "./terminal.ts"
import { print, type Write } from "./text.ts"

/**
 * A function that shows each text in place of the one before. It has a screen of its own, which the terminal takes away when the scope
 * ends. Into a pipe, or on a terminal that cannot redraw, each text is printed behind the last.
 */
export const fullScreen = Effect.gen(function*() {
  if (!canRedraw(process.stdout)) return print
  const write = (text: string) => Effect.sync(() => void process.stdout.write(text))
  // The alternate screen (DECSET 1049), without the cursor.
  yield* Effect.acquireRelease(write("\x1b[?1049h\x1b[?25l"), () => write("\x1b[?25h\x1b[?1049l"))
  const show: Write = (text) => {
    const rows = String(text).split("\n").slice(0, rowsOf(process.stdout))
    return print(`\x1b[H${rows.map((row) => `${row}\x1b[K`).join("\r\n")}\x1b[J`)
  }
  return show
})
