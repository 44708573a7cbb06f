import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs"
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

/** Links from one to the next, as many as the kernel follows. */
const MAX_LINKS = 40

/** Every file, link and directory that decides what a path leads to. Fails where the path leads nowhere. */
const passed = (place: string, links = MAX_LINKS): ReadonlyArray<string> => {
  if (place === "/" || links === 0) return [place]
  const above = passed(path.dirname(place), links)
  if (!lstatSync(place).isSymbolicLink()) return [...above, place]
  return [...above, place, ...passed(path.resolve(path.dirname(place), readlinkSync(place)), links - 1)]
}

/**
 * What of a program that root runs somebody else could change or exchange: the file, or a directory that it, or a link on
 * the way to it, stands in. Null when nobody can, or when the file is missing. `trusted` owns it all: root, but in a test.
 */
export const changeableByOthers = (program: string, trusted = 0): string | null => {
  if (!existsSync(program)) return null
  return passed(program).find((place) => {
    // A link's own mode means nothing, but its owner may exchange it, in a sticky directory as well.
    const link = lstatSync(place)
    if (link.uid !== 0 && link.uid !== trusted) return true
    const stat = statSync(place)
    const writable = (stat.mode & BY_ALL) !== 0 || ((stat.mode & BY_GROUP) !== 0 && stat.gid !== 0)
    // To a sticky directory, such as /tmp, others may add, but exchange nothing of root's.
    const sticky = stat.isDirectory() && (stat.mode & STICKY) !== 0
    return (stat.uid !== 0 && stat.uid !== trusted) || (writable && !sticky)
  }) ?? null
}

/** The command that makes a file or directory root's alone. */
export const ownership = (place: string): string => `sudo chown root:root ${place} && sudo chmod go-w ${place}`
