/** Colour only where a person looks on. */
const coloured = (stream: NodeJS.WriteStream) => stream.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb"

const paint = (code: number) => (text: string, stream: NodeJS.WriteStream = process.stdout) =>
  coloured(stream) ? `\x1b[${code}m${text}\x1b[0m` : text

export const green = paint(32)
export const yellow = paint(33)
export const red = paint(31)
export const dim = paint(2)
