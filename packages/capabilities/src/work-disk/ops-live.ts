import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { Digest, Slot, VmId } from "@banger/domain/ids.ts"
import { vmUid } from "@banger/domain/network.ts"
import { run } from "../exec.ts"
import { file, removeFile } from "../files.ts"
import { makeKeyedLock } from "../keyed-lock.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { estate, SEEDS, stored, workFile } from "../paths.ts"
import { freeBytes, keepReserve } from "../reserve.ts"
import { toolPath } from "../tool.ts"
import { WorkDiskOps } from "./ops.ts"

const MIB = 2 ** 20

/** VMs that are created at the same time want the same seed: one makes it, the others find it. */
const making = makeKeyedLock()

/** An empty file system of that size, made once: later disks are sparse copies of it. */
const emptySeed = (diskMib: number) =>
  Effect.gen(function*() {
    const seed = `${SEEDS}/empty-${diskMib}.ext4`
    if (existsSync(seed)) return seed
    yield* file(seed, async () => {
      await fs.mkdir(SEEDS, { recursive: true, mode: 0o700 })
      await fs.rm(`${seed}.new`, { force: true })
    })
    // Inode tables are zeroed here, once, and become holes: a lazy initialisation would write them in every guest. No
    // blocks are reserved for root, who is the only user of /root.
    yield* run(["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=1,root_owner=0:0", `${seed}.new`, `${diskMib}M`])
    yield* run(["fallocate", "--dig-holes", `${seed}.new`])
    yield* file(seed, () => fs.rename(`${seed}.new`, seed))
    return seed
  }).pipe(making(String(diskMib)))

const ensure = (vm: VmId, slot: Slot, diskMib: number, seed: Digest | null) =>
  Effect.gen(function*() {
    const disk = workFile(vm)
    if (existsSync(disk)) return
    yield* keepReserve("work disk")
    const source = seed === null ? yield* emptySeed(diskMib) : stored(seed)
    const { size } = yield* file(source, () => fs.stat(source))
    if (size > diskMib * MIB) {
      return yield* new OpFailed({
        subject: "work disk",
        problem: `the image's work seed is ${Math.ceil(size / MIB)} MiB, the disk only ${diskMib} MiB`,
        fix: `ask for --disk-size ${Math.ceil(size / MIB)}M or more`
      })
    }
    yield* file(estate(vm), () => fs.mkdir(estate(vm), { recursive: true, mode: 0o711 }))
    yield* run(["cp", "--reflink=auto", "--sparse=always", "--no-preserve=all", "--", source, `${disk}.new`])
    yield* file(disk, async () => {
      await fs.truncate(`${disk}.new`, diskMib * MIB)
      await fs.chmod(`${disk}.new`, 0o600)
      await fs.chown(`${disk}.new`, vmUid(slot), vmUid(slot))
      await fs.rename(`${disk}.new`, disk)
    })
  }).pipe(Effect.mapError(opFailed("work disk")))

const remove = (vm: VmId) =>
  removeFile(estate(vm), [workFile(vm), `${workFile(vm)}.new`]).pipe(Effect.mapError(opFailed("work disk")))

/** What a doctor asks of the host before and after an install. */
export const facts = Effect.all({
  mkfs: Effect.sync(() => toolPath("mkfs.ext4")),
  freeBytes: Effect.orElseSucceed(freeBytes, () => 0)
})

export const handlers = WorkDiskOps.toLayer({
  "work.Find": ({ vm }) => Effect.sync(() => existsSync(workFile(vm))),
  "work.Ensure": ({ diskMib, seed, slot, vm }) => ensure(vm, slot, diskMib, seed),
  "work.Remove": ({ vm }) => remove(vm),
  "work.Facts": () => facts
})
