import { readFileSync, readlinkSync } from "node:fs"
import * as path from "node:path"
import type { ProcessId } from "@banger/domain/vm.ts"

/** Start time of a process in clock ticks since boot, field 22 of its stat; undefined when there is none. */
export const startTime = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The command in parentheses may hold spaces and parentheses itself: fields count from the last one.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
  } catch {
    return undefined
  }
}

export const isAlive = ({ pid, startTime: expected }: ProcessId): boolean => startTime(pid) === expected

/** The main process of a unit's cgroup, when it is the jailer or the Firecracker it turns into. */
export const processIn = (cgroup: string): ProcessId | null => {
  try {
    for (const pid of readFileSync(`${cgroup}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number)) {
      const name = path.basename(readlinkSync(`/proc/${pid}/exe`))
      const started = startTime(pid)
      if ((name === "firecracker" || name === "jailer") && started !== undefined) return { pid, startTime: started }
    }
  } catch (error) {
    // The unit, or the process between two of the reads, is gone: the same answer.
    if (!(error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH" || error.code === "ENODEV"))) throw error
  }
  return null
}
