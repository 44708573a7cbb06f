import { size } from "@banger/domain/size.ts"

/** `8 GiB`; memory stays in MiB, as it is given. */
export const mib = (value: number): string => size(value * 1024 * 1024)

/** `812 ms`, `1.3 s`. */
export const took = (ms: number): string => ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`

/** `3d 4h`, `12m 5s`: the two largest units. */
export const span = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const parts = [[Math.floor(seconds / 86_400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "m"], [seconds % 60, "s"]] as const
  const first = parts.findIndex(([amount]) => amount > 0)
  if (first === -1) return "0s"
  return parts.slice(first, first + 2).filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount}${unit}`).join(" ")
}

const LARGER = [[1_000, "second"], [60_000, "minute"], [3_600_000, "hour"], [86_400_000, "day"], [30 * 86_400_000, "month"], [365 * 86_400_000, "year"]] as const

/** `3 minutes ago`, of a time that was so many milliseconds ago. A clock that was set back makes it none. */
export const ago = (ms: number): string => {
  const [length, name] = LARGER.findLast(([unit]) => ms >= unit) ?? [0, ""]
  if (length === 0) return "just now"
  const count = Math.floor(ms / length)
  return `${count} ${name}${count === 1 ? "" : "s"} ago`
}
