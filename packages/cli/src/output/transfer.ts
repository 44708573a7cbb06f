import { size } from "@banger/domain/size.ts"
import { span } from "./units.ts"

/** Milliseconds before which nothing is said of the rate: the first bytes tell little of it. */
const SETTLED = 500

/** Bytes on their way, of which `before` were there when it began, `ms` ago. */
export interface Transfer {
  readonly done: number
  readonly total: number
  readonly before: number
  readonly ms: number
}

/** `120 MiB of 300 MiB, 40 MiB/s, 5s left`; what is left is guessed from what was done so far. */
export const transferText = ({ before, done, ms, total }: Transfer): string => {
  const amount = total > 0 ? `${size(done)} of ${size(total)}` : size(done)
  const rate = ms < SETTLED ? 0 : (done - before) / ms
  if (rate <= 0) return amount
  return `${amount}, ${size(rate * 1000)}/s${total > done ? `, ${span((total - done) / rate)} left` : ""}`
}

/** The same of what is told while it goes on: the rate is counted from the first time on. */
export const transfers = (): (done: number, total: number) => () => string => {
  let first: { readonly at: number; readonly before: number } | undefined
  return (done, total) => {
    const { at, before } = first ??= { at: performance.now(), before: done }
    const ms = performance.now() - at
    return () => transferText({ before, done, ms, total })
  }
}
