import * as fs from "node:fs/promises"

const readable = <A>(reading: Promise<ReadonlyArray<A>>): Promise<ReadonlyArray<A>> => reading.catch(() => [])

/** What of a directory one of the owner's processes has open: it is being written, whatever the time of its last change is by a clock that was set. */
export const openIn = async (directory: string): Promise<ReadonlySet<string>> => {
  const pids = (await readable(fs.readdir("/proc"))).filter((name) => /^\d+$/.test(name))
  // Processes of others cannot be looked into, and those that end meanwhile have nothing open.
  const links = await Promise.all(pids.map(async (pid) =>
    Promise.all((await readable(fs.readdir(`/proc/${pid}/fd`))).map((fd) => fs.readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")))))
  const below = links.flat().filter((path) => path.startsWith(`${directory}/`))
  return new Set(below.map((path) => `${directory}/${path.slice(directory.length + 1).split("/")[0]}`))
}
