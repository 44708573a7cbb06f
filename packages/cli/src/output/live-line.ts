import { dim } from "./style.ts"
import { canRedraw, columnsOf, ellipsis, shown } from "./terminal.ts"
import { fit } from "./width.ts"

/** How often the line moves on, in milliseconds. */
const TICK = 100

/** One line at the end of what stderr's terminal shows, which changes while something is done. */
export interface LiveLine {
  /** Asked for its text at each change of the clock. */
  readonly show: (text: () => string) => void
  readonly end: () => void
}

interface Open {
  text: () => string
}

/** A process has one such place; of several that want it the newest has it. */
const open: Array<Open> = []
/** What stands there now. */
let drawn = ""
/** Others have begun a line and not ended it. */
let begun = false
let clock: NodeJS.Timeout | undefined

/** Takes the line away, before anything else is written to the terminal. It comes back with the clock. */
const erase = (): void => {
  if (drawn === "") return
  drawn = ""
  process.stderr.write("\r\x1b[J")
}

/**
 * The last column stays free, where some terminals would go on in the next row. The cursor goes back to the beginning: a terminal
 * that is made narrower folds the line behind it, so that all of it can still be erased, as can the ^C that it echoes.
 */
const draw = (): void => {
  const line = open.at(-1)
  if (line === undefined || begun) return
  const text = fit(shown(line.text()), (columnsOf(process.stderr) ?? 0) - 1, ellipsis())
  if (text === drawn) return
  process.stderr.write(`\r${dim(text, process.stderr)}\x1b[K\r`)
  drawn = text
}

const redraw = (): void => {
  erase()
  draw()
}

const begin = (): void => {
  clock = setInterval(draw, TICK)
  process.stderr.on("resize", redraw)
  // A second signal ends the process at once.
  process.on("exit", erase)
}

const finish = (): void => {
  clearInterval(clock)
  process.stderr.off("resize", redraw)
  process.off("exit", erase)
  begun = false
}

/** Opens the line; where stderr is no terminal, or one that cannot redraw, nothing is shown. */
export const openLine = (): LiveLine => {
  if (!canRedraw(process.stderr)) return { show: () => {}, end: () => {} }
  const own: Open = { text: () => "" }
  if (open.push(own) === 1) begin()
  return {
    show: (text) => {
      own.text = text
      draw()
    },
    end: () => {
      const at = open.indexOf(own)
      if (at === -1) return
      open.splice(at, 1)
      erase()
      if (open.length === 0) finish()
    }
  }
}

/** Makes room on a terminal for other output: the line goes, and comes back below it once its last line has ended. */
export const makeRoom = (stream: NodeJS.WriteStream, bytes: string | Uint8Array): void => {
  if (open.length === 0 || stream.isTTY !== true || bytes.length === 0) return
  erase()
  begun = bytes.at(-1) !== "\n" && bytes.at(-1) !== 0x0a
}
