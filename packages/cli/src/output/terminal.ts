import { plain } from "./width.ts"

/** Of a terminal that says nothing of its size, as serial lines do: 0 by 0. */
const COLUMNS = 80
const ROWS = 24

/** Columns of a stream's terminal; `undefined` where it is none, and lines may be as long as they are. */
export const columnsOf = (stream: NodeJS.WriteStream): number | undefined =>
  stream.isTTY === true ? stream.columns || COLUMNS : undefined

/** Rows of a stream's terminal. */
export const rowsOf = (stream: NodeJS.WriteStream): number => stream.rows || ROWS

/** Whether what was written there can be written over. */
export const canRedraw = (stream: NodeJS.WriteStream): boolean => stream.isTTY === true && process.env["TERM"] !== "dumb"

/** Whether the locale's characters are those of Unicode. */
export const isUtf8 = (): boolean => /utf-?8/i.test(process.env["LC_ALL"] || process.env["LC_CTYPE"] || process.env["LANG"] || "")

/** What stands for the rest of a text that was cut. */
export const ellipsis = (): string => isUtf8() ? "…" : "..."

/** What a terminal of this locale can show of a text. */
export const shown = (text: string): string => isUtf8() ? plain(text) : plain(text).replaceAll(/[^\x20-\x7e]/gu, "?")
