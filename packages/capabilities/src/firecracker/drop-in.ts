import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { VmId } from "@banger/domain/ids.ts"
import { run } from "../exec.ts"
import { file } from "../files.ts"
import { cgroup, dropIn, RUN_UNITS } from "../paths.ts"
import { limits, memoryMaxMib } from "./limits.ts"

/** Seconds since the epoch; below the millisecond, which is all of the clock's that Node tells, by another clock. */
const now = () => (Date.now() + performance.now() % 1) / 1000

/**
 * Writes the limits of a unit that is to be started. systemd reads a unit that it has not loaded from its files, and sees by the
 * time of a directory that there is a new one in it. The kernel's own stamp has the tick of its clock, some milliseconds: of two
 * VMs within one systemd might see the first alone.
 */
export const writeLimits = (vm: VmId, memoryMib: number) =>
  file(dropIn(vm), async () => {
    await fs.mkdir(dropIn(vm), { recursive: true, mode: 0o755 })
    await fs.writeFile(`${dropIn(vm)}/limits.conf`, limits(memoryMib), { mode: 0o644 })
    await fs.utimes(RUN_UNITS, now(), now())
  })

export const removeLimits = (vm: VmId) => file(dropIn(vm), () => fs.rm(dropIn(vm), { recursive: true, force: true }))

const holds = (vm: VmId, memoryMib: number) =>
  file(cgroup(vm), () => fs.readFile(`${cgroup(vm)}/memory.max`, "utf8")).pipe(
    Effect.map((bytes) => bytes.trim() === String(memoryMaxMib(memoryMib) * 2 ** 20)),
    Effect.orElseSucceed(() => false)
  )

/**
 * Of a unit that runs: below systemd 245 a new directory is seen by `daemon-reload` alone, which changes units that run, too. A VM
 * on a host whose kernel counts no memory (cgroup_disable=memory) runs without the limit, and the journal says so.
 */
export const confirmLimits = (vm: VmId, memoryMib: number) =>
  Effect.gen(function*() {
    if (yield* holds(vm, memoryMib)) return
    yield* Effect.ignoreLogged(run(["systemctl", "daemon-reload"]))
    if (!(yield* holds(vm, memoryMib))) yield* Effect.logWarning(`${cgroup(vm)}/memory.max is not what ${dropIn(vm)} says: this VM has no memory limit`)
  })
