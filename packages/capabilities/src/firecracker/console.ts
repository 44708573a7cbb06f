import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"

/** Bytes looked at from the end of the log. */
const TAIL = 2048

/** The last line of a guest's console that says something, fit for a terminal; empty when there is none. */
export const consoleTail = (log: string): Effect.Effect<string> =>
  Effect.tryPromise(async () => {
    const handle = await fs.open(log, "r")
    try {
      const { size } = await handle.stat()
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(TAIL), 0, TAIL, Math.max(0, size - TAIL))
      const lines = buffer.subarray(0, bytesRead).toString("utf8").split(/[\r\n]+/).map((line) => line.replaceAll(/[^\x20-\x7e]/g, "").trim())
      return lines.findLast((line) => line !== "")?.slice(0, 200) ?? ""
    } finally {
      await handle.close()
    }
  }).pipe(Effect.orElseSucceed(() => ""))
