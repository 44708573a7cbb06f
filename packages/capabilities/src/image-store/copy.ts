import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"

/** Bytes read at once, and the unit in which runs of zeros become holes. */
const BLOCK = 1 << 20
const HOLE = 64 << 10
const ZEROS = Buffer.alloc(HOLE)

/**
 * Copies an open file to a new path, hashing the very bytes it writes, and leaves holes where it reads zeros. World
 * readable, since VMs of any uid boot from it; nobody may write.
 */
export const copySparse = async (source: fs.FileHandle, path: string): Promise<{ digest: string; bytes: number }> => {
  const hash = createHash("sha256")
  const target = await fs.open(path, "wx", 0o600)
  try {
    const buffer = Buffer.allocUnsafe(BLOCK)
    let bytes = 0
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, BLOCK, bytes)
      if (bytesRead === 0) break
      hash.update(buffer.subarray(0, bytesRead))
      for (let at = 0; at < bytesRead; at += HOLE) {
        const piece = buffer.subarray(at, Math.min(at + HOLE, bytesRead))
        if (ZEROS.compare(piece, 0, piece.length, 0, piece.length) !== 0) await target.write(piece, 0, piece.length, bytes + at)
      }
      bytes += bytesRead
    }
    await target.truncate(bytes)
    await target.chmod(0o444)
    await target.sync()
    return { digest: hash.digest("hex"), bytes }
  } finally {
    await target.close()
  }
}
