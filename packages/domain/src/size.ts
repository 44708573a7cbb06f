const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"]

const short = (value: number) => value.toFixed(value < 10 && !Number.isInteger(value) ? 1 : 0)

/** `4.5 MiB`. */
export const size = (bytes: number): string => {
  let value = bytes
  let unit = 0
  // 1023.9 is not 1024 of this unit, but 1.0 of the next.
  while (Math.round(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${short(value)} ${UNITS[unit]}`
}
