import { stripVTControlCharacters } from "node:util"
import { widthOf } from "./width.ts"

/** Rows that text takes on a terminal of so many columns, told piece by piece. Lines that are too long go on in the next row. */
export const rowCounter = (columns: number): (piece: string) => number => {
  let rows = 0
  let last = ""
  return (piece) => {
    const lines = (last + stripVTControlCharacters(piece)).split("\n")
    last = lines.pop() ?? ""
    for (const line of lines) rows += Math.max(1, Math.ceil(widthOf(line) / columns))
    return rows + (last === "" ? 0 : Math.ceil(widthOf(last) / columns))
  }
}
