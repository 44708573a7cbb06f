import { StringDecoder } from "node:string_decoder"
import { stripVTControlCharacters } from "node:util"
import * as Effect from "effect/Effect"

/** Characters of a line that are kept: more than any screen is wide. */
const LONGEST = 4_096
/** Columns between two stops of the tabulator. */
const TAB = 8

/** As a terminal would show it, without its colours, which would be those of another screen: a return begins the line anew. */
const seen = (line: string): string => {
  const [first = "", ...cells] = (stripVTControlCharacters(line.replace(/\r+$/, "")).split("\r").at(-1) ?? "").split("\t")
  return cells.reduce((text, cell) => `${text}${" ".repeat(TAB - text.length % TAB)}${cell}`, first).slice(0, LONGEST)
}

/** Takes the bytes of a log piece by piece, of which one may end within a character; gives whole lines, and what the last one has so far. */
export const inLines = (take: (lines: ReadonlyArray<string>, rest: string) => Effect.Effect<void>) => {
  const decoder = new StringDecoder("utf8")
  let rest = ""
  return (bytes: string | Uint8Array) => Effect.suspend(() => {
    const lines = (rest + (typeof bytes === "string" ? bytes : decoder.write(Buffer.from(bytes)))).split("\n")
    // The end of an endless line counts: what came before a return is written over.
    rest = (lines.pop() ?? "").slice(-LONGEST)
    return take(lines.map(seen), seen(rest))
  })
}
