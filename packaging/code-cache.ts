import * as fs from "node:fs"

/** Node knows some 390 modules of its own. */
const FEWEST = 100
const MOST = 2000
const LONGEST_NAME = 256

/**
 * Takes the compiled code of Node's own modules out of a start-up snapshot: megabytes that are read and copied at each start, of
 * which a command runs next to nothing. Node's own `withoutCodeCache` takes our functions' code, too. The code is the last field of
 * the file: a count, then names and bytes, each after its length, all lengths in 8 bytes (SnapshotData, src/node_snapshotable.cc).
 * The format is Node's and not public, so a file that does not end exactly like this is refused.
 */
export const dropNodesCode = (file: string): void => {
  const blob = fs.readFileSync(file)
  const length = (at: number) => at + 8 <= blob.length ? Number(blob.readBigUInt64LE(at)) : NaN
  const endsWithCode = (start: number): boolean => {
    let at = start + 8
    for (let left = length(start); left > 0; left--) {
      const name = length(at)
      if (!(name > 0 && name < LONGEST_NAME)) return false
      at += 8 + name
      const code = length(at)
      if (!(code >= 0 && code <= blob.length - at)) return false
      at += 8 + code
    }
    return at === blob.length
  }
  // A count of hundreds is two bytes with a value and six zeros.
  for (let zeros = blob.indexOf("\0".repeat(6)); zeros !== -1; zeros = blob.indexOf("\0".repeat(6), zeros + 1)) {
    const start = zeros - 2
    if (length(start) < FEWEST || length(start) > MOST || !endsWithCode(start)) continue
    return fs.writeFileSync(file, Buffer.concat([blob.subarray(0, start), Buffer.alloc(8)]))
  }
  throw new Error(`${file} is no start-up snapshot as this Node makes them: the code of its modules was not found`)
}
