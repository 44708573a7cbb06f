import { existsSync, realpathSync, statSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { run } from "./exec.ts"

/** The first line that a host tool prints about its version, or null where the tool is missing or broken. */
export const version = (argv: readonly [string, ...ReadonlyArray<string>]): Effect.Effect<string | null> =>
  run(argv, { timeoutMs: 5_000 }).pipe(
    Effect.map((stdout) => stdout.trim().split("\n")[0] ?? ""),
    Effect.orElseSucceed(() => null)
  )

/** Where a host tool lies, or null. */
export const toolPath = (name: string): string | null =>
  ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map((directory) => `${directory}/${name}`).find(existsSync) ?? null

const BY_GROUP = 0o020
const BY_ALL = 0o002
const STICKY = 0o1000

const upwards = (place: string): ReadonlyArray<string> => place === "/" ? [place] : [place, ...upwards(path.dirname(place))]

/**
 * What of a program that root runs somebody else could change or exchange: the file, a link to it, or a directory above
 * either. Null when nobody can, or when the file is missing. `trusted` owns it all: root, but in a test.
 */
export const changeableByOthers = (program: string, trusted = 0): string | null => {
  if (!existsSync(program)) return null
  const places = [...upwards(realpathSync(program)), ...upwards(path.dirname(program))]
  return places.find((place) => {
    const stat = statSync(place)
    const writable = (stat.mode & BY_ALL) !== 0 || ((stat.mode & BY_GROUP) !== 0 && stat.gid !== 0)
    // To a sticky directory, such as /tmp, others may add, but exchange nothing of root's.
    const sticky = stat.isDirectory() && (stat.mode & STICKY) !== 0
    return (stat.uid !== 0 && stat.uid !== trusted) || (writable && !sticky)
  }) ?? null
}
