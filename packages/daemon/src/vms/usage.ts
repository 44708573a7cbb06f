import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import { monotonicMillis } from "@banger/capabilities/monotonic.ts"
import { cgroup } from "@banger/capabilities/paths.ts"
import { tapName } from "@banger/domain/network.ts"
import { type VmRecord, VmUsage } from "@banger/domain/vm.ts"
import * as Effect from "effect/Effect"
import { diskFiles, view } from "./view.ts"

/** A file that the kernel makes up; none of a VM whose run has just ended. */
const text = (path: string) => Effect.option(file(path, () => fs.readFile(path, "utf8")))

/** A value of the kernel's tables of names and numbers (cpu.stat, memory.stat). */
const valueIn = (table: string, name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(table)?.[1] ?? 0)

/** The share of the host that a VM takes now, as the host's kernel counts: no guest can change these numbers. */
export const usage = (record: VmRecord): Effect.Effect<VmUsage> =>
  Effect.gen(function*() {
    const { id, slot } = record.spec
    const link = `/sys/class/net/${tapName(slot)}/statistics`
    const [cpu, memory, memoryStat, sent, received, atMs] = yield* Effect.all([
      text(`${cgroup(id)}/cpu.stat`), text(`${cgroup(id)}/memory.current`), text(`${cgroup(id)}/memory.stat`), text(`${link}/rx_bytes`), text(`${link}/tx_bytes`), monotonicMillis
    ], { concurrency: "unbounded" })
    const runs = cpu._tag === "Some" && (record.state === "running" || record.state === "paused")
    const number = (value: typeof sent) => runs && value._tag === "Some" ? Number(value.value) : null
    // Files that were read once are let go first, and are nobody's memory in particular: systemd-cgtop leaves them out, too.
    const cached = memoryStat._tag === "Some" ? valueIn(memoryStat.value, "inactive_file") : 0
    const charged = number(memory)
    return new VmUsage({
      vm: view(record),
      atMs,
      cpuMs: runs ? valueIn(cpu.value, "usage_usec") / 1000 : null,
      memoryBytes: charged === null ? null : Math.max(0, charged - cached),
      diskBytes: diskFiles(record.spec.id).reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0),
      // The host receives what the guest sends.
      sentBytes: number(sent),
      receivedBytes: number(received)
    })
  })
