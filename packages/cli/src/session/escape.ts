const TILDE = 0x7e
const DOT = 0x2e
const isNewline = (byte: number) => byte === 0x0a || byte === 0x0d

export interface Typed {
  readonly pass: Buffer
  readonly leave: boolean
}

/** Looks for `~.` at the beginning of a line. A tilde that may begin it waits for the next byte. */
export const escapes = (): ((chunk: Buffer) => Typed) => {
  let state: "line start" | "tilde" | "within" = "line start"
  return (chunk) => {
    const pass: Array<number> = []
    for (const byte of chunk) {
      if (state === "tilde") {
        if (byte === DOT) return { pass: Buffer.from(pass), leave: true }
        pass.push(TILDE)
        state = "within"
      }
      if (state === "line start" && byte === TILDE) {
        state = "tilde"
        continue
      }
      pass.push(byte)
      state = isNewline(byte) ? "line start" : "within"
    }
    return { pass: Buffer.from(pass), leave: false }
  }
}
