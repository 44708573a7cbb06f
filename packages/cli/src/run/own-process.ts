import { readFileSync } from "node:fs"
import type { ProcessId } from "@banger/domain/vm.ts"

/** This process, told apart from a later one with its pid: field 22 of its stat, counted behind the name, which may hold anything. */
export const ownProcess = (): ProcessId => {
  const stat = readFileSync("/proc/self/stat", "latin1")
  return { pid: process.pid, startTime: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "" }
}
