/** A variable that is there, and not empty. */
const set = (name: string): boolean => Boolean(process.env[name])

/** Colour only where a person looks on: no-color.org and bixense.com/clicolors say how else. Of the two NO_COLOR is heeded first. */
export const coloured = (stream: NodeJS.WriteStream): boolean => {
  if (set("NO_COLOR")) return false
  if (set("CLICOLOR_FORCE") && process.env["CLICOLOR_FORCE"] !== "0") return true
  return stream.isTTY === true && process.env["TERM"] !== "dumb" && process.env["CLICOLOR"] !== "0"
}

const paint = (code: number) => (text: string, stream: NodeJS.WriteStream = process.stdout) =>
  coloured(stream) ? `\x1b[${code}m${text}\x1b[0m` : text

export const green = paint(32)
export const yellow = paint(33)
export const red = paint(31)
export const dim = paint(2)
