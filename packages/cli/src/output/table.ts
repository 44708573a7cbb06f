import { columnsOf, ellipsis, shown } from "./terminal.ts"
import { fit, padded, plain, widthOf } from "./width.ts"

const GAP = "  "
/** Columns that are left of a cell at least; a heading is never cut. */
const LEAST = 6

/** A table of people's, as it is laid out: what is not said of the terminal is as wide as it is. */
export interface Table {
  readonly heading: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  /** Headings, the least important first: those columns are cut, and then left out, where the terminal is too narrow. All others stay whole. */
  readonly cut: ReadonlyArray<string>
}

const sum = (widths: ReadonlyArray<number>) => widths.reduce((total, width) => total + width, GAP.length * (widths.length - 1))

/** How wide each column is to be in so many columns of the terminal; those that are left out are not in it. */
const widthsIn = ({ cut, heading, rows }: Table, available: number): ReadonlyMap<number, number> => {
  const widths = new Map(heading.map((name, column) => [column, Math.max(widthOf(name), ...rows.map((row) => widthOf(row[column] ?? "")))] as const))
  const order = cut.map((name) => heading.indexOf(name))
  const least = (column: number, width: number) => order.includes(column) ? Math.min(width, Math.max(widthOf(heading[column] ?? ""), LEAST)) : width
  for (const column of order) if (sum([...widths].map(([at, width]) => least(at, width))) > available) widths.delete(column)
  for (const column of order) {
    const width = widths.get(column)
    if (width !== undefined) widths.set(column, Math.max(least(column, width), width - Math.max(0, sum([...widths.values()]) - available)))
  }
  return widths
}

/** The table's text, in so many columns; any number of them with `undefined`. */
export const layout = (table: Table, columns: number | undefined, mark: string): string => {
  const widths = widthsIn(table, columns ?? Infinity)
  const line = (row: ReadonlyArray<string>) =>
    `${[...widths].map(([column, width]) => padded(fit(row[column] ?? "", width, mark), width)).join(GAP).trimEnd()}\n`
  return [table.heading, ...table.rows].map(line).join("")
}

/** Columns as wide as their widest cell, as far as stdout's terminal has room for them; into a pipe or a file they are never cut. */
export const table = (given: Table): string => {
  const columns = columnsOf(process.stdout)
  const cell = columns === undefined ? plain : shown
  return layout({ ...given, rows: given.rows.map((row) => row.map(cell)) }, columns, ellipsis())
}
