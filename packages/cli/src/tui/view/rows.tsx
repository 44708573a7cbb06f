import { Box, Text } from "ink"
import type { ReactElement } from "react"
import { isUtf8, shown } from "../../output/terminal.ts"

/** The first of so many lines that are shown, so that the marked one is among them, in the middle where it can be. */
export const windowOf = (count: number, marked: number, rows: number): number =>
  Math.max(0, Math.min(marked - Math.floor(rows / 2), count - rows))

/** Columns of the mark before a line. */
export const MARK = 2

/** Stands before the line that is marked, also where no colour shows it, and makes room before the others. */
export const mark = (marked: boolean): string => marked ? isUtf8() ? "▸ " : "> " : "  "

/** Lines under a title; one may be marked. */
export const Rows = ({ lines, marked, rows, title }: { readonly title: string; readonly lines: ReadonlyArray<string>; readonly rows: number; readonly marked?: number }): ReactElement => {
  const first = windowOf(lines.length, marked ?? 0, rows)
  return (
    <Box flexDirection="column">
      <Text bold wrap="truncate">{title}</Text>
      {lines.slice(first, first + rows).map((line, at) =>
        <Text key={first + at} wrap="truncate" inverse={first + at === marked}>{marked === undefined ? "" : mark(first + at === marked)}{shown(line)}</Text>)}
    </Box>
  )
}
