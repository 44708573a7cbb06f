import type { VmUsage } from "@banger/domain/vm.ts"

/** Of the processor's time between two looks, in percent of one processor; null: the VM does not run. The count of another run began at zero. */
export const cpuPercent = (before: VmUsage | undefined, now: VmUsage): number | null => {
  if (now.cpuMs === null) return null
  if (before === undefined || before.cpuMs === null || before.cpuMs > now.cpuMs || before.atMs >= now.atMs) return 0
  return Math.round((now.cpuMs - before.cpuMs) / (now.atMs - before.atMs) * 1000) / 10
}
