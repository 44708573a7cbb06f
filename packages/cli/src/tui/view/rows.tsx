import { Box, Text } from "ink"
import type { ReactElement } from "react"
import { ellipsis, isUtf8, shown } from "../../output/terminal.ts"
import { fit } from "../../output/width.ts"

/** The first of so many lines that are shown, so that the marked one is among them, in the middle where it can be. */
export const windowOf = (count: number, marked: number, rows: number): number =>
  Math.max(0, Math.min(marked - Math.floor(rows / 2), count - rows))

/** Columns of the mark before a line. */
export const MARK = 2

/** Stands before the line that is marked, also where no colour shows it, and makes room before the others. */
export const mark = (marked: boolean): string => marked ? isUtf8() ? "▸ " : "> " : "  "

/** A line as this terminal can show it, cut where it ends. */
export const cut = (line: string, columns: number): string => fit(shown(line), columns, ellipsis())

/** Lines under a title; one may be marked. */
export const Rows = ({ columns, lines, marked, rows, title }: { readonly title: string; readonly lines: ReadonlyArray<string>; readonly columns: number; readonly rows: number; readonly marked?: number }): ReactElement => {
  const first = windowOf(lines.length, marked ?? 0, rows)
  return (
    <Box flexDirection="column">
      <Text bold wrap="truncate">{title}</Text>
      {lines.slice(first, first + rows).map((line, at) =>
        <Text key={first + at} wrap="truncate" inverse={first + at === marked}>{cut(`${marked === undefined ? "" : mark(first + at === marked)}${line}`, columns)}</Text>)}
    </Box>
  )
}
