import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { Digest, Slot, VmId } from "@banger/domain/ids.ts"
import type { DiskMib } from "@banger/domain/vm.ts"
import { vmUid } from "@banger/domain/network.ts"
import { run, UNLIMITED } from "../exec.ts"
import { allocatedBytes, file, makeDirectory, place, removeFile, wholly } from "../files.ts"
import { HostSettings } from "../host-settings.ts"
import { makeKeyedLock } from "../keyed-lock.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { estate, ROOT_STATE, seedOf, SEEDS, stored, workFile } from "../paths.ts"
import { freeBytes, keepReserve, reserveBytes, reserveFlag, withinReserve } from "../reserve.ts"
import { WorkDiskOps } from "./ops.ts"

const MIB = 2 ** 20

/** VMs that are created at the same time want the same seed: one makes it, the others find it. */
const making = makeKeyedLock()

/** An empty file system of that size, made once: later disks are sparse copies of it. */
const emptySeed = (diskMib: DiskMib) =>
  Effect.gen(function*() {
    const { install } = yield* HostSettings
    const seed = seedOf(diskMib)
    if (existsSync(seed)) return seed
    yield* file(seed, async () => {
      await fs.mkdir(SEEDS, { recursive: true, mode: 0o700 })
      await fs.rm(`${seed}.new`, { force: true })
    })
    // Not mkfs.ext4, which allocates all inode tables, 16 GiB of them where the disk has 1 TiB: ours are holes.
    yield* run([`${install}/bin/banger-store`, "empty", ...yield* reserveFlag, `${seed}.new`, String(diskMib * MIB)], { timeoutMs: UNLIMITED }).pipe(withinReserve("work disk", 0, SEEDS), wholly(`${seed}.new`))
    yield* file(seed, () => place(`${seed}.new`, seed))
    return seed
  }).pipe(making(String(diskMib)))

/** The guest grows the file system at its next boot. A disk that is larger than it should be stays as it is. */
const grown = (disk: string, diskMib: DiskMib) =>
  file(disk, async () => {
    if ((await fs.stat(disk)).size < diskMib * MIB) await fs.truncate(disk, diskMib * MIB)
  })

/** A sparse copy: shared with its source where the file system can, which takes no room, else all that the source has. */
const copied = (source: string, target: string, bytes: number) =>
  Effect.gen(function*() {
    const cp = (reflink: "always" | "never") => run(["cp", `--reflink=${reflink}`, "--sparse=always", "--no-preserve=all", "--", source, target], { timeoutMs: UNLIMITED })
    yield* keepReserve("work disk")
    yield* Effect.catchTag(cp("always"), "CommandFailed", () => withinReserve("work disk", bytes, ROOT_STATE)(cp("never")))
  }).pipe(wholly(target))

const ensure = (vm: VmId, slot: Slot, diskMib: DiskMib, seed: Digest | null) =>
  Effect.gen(function*() {
    const disk = workFile(vm)
    if (existsSync(disk)) return yield* grown(disk, diskMib)
    const source = seed === null ? yield* emptySeed(diskMib) : stored(seed)
    const stat = yield* file(source, () => fs.stat(source))
    const { size } = stat
    if (size > diskMib * MIB) {
      return yield* new OpFailed({
        subject: "work disk",
        problem: `the image's work seed is ${Math.ceil(size / MIB)} MiB, the disk only ${diskMib} MiB`,
        fix: `ask for --disk-size ${Math.ceil(size / MIB)}M or more`
      })
    }
    yield* file(estate(vm), () => makeDirectory(estate(vm), 0o711))
    yield* copied(source, `${disk}.new`, allocatedBytes(stat))
    yield* file(disk, async () => {
      await fs.truncate(`${disk}.new`, diskMib * MIB)
      await fs.chmod(`${disk}.new`, 0o600)
      await fs.chown(`${disk}.new`, vmUid(slot), vmUid(slot))
      await place(`${disk}.new`, disk)
    })
  }).pipe(Effect.mapError(opFailed("work disk")))

const remove = (vm: VmId) =>
  removeFile(estate(vm), [workFile(vm), `${workFile(vm)}.new`]).pipe(Effect.mapError(opFailed("work disk")))

/** What a doctor asks of the host before and after an install. */
export const facts = Effect.all({ freeBytes: Effect.orElseSucceed(freeBytes, () => 0), reserveBytes }).pipe(Effect.mapError(opFailed("work disk")))

/** Also those of versions that made them with mkfs.ext4, which have another name. */
const dropSeeds = (keep: ReadonlyArray<DiskMib>) =>
  file(SEEDS, async () => {
    const kept = new Set(keep.map(seedOf))
    const paths = (await fs.readdir(SEEDS).catch(() => [])).map((name) => `${SEEDS}/${name}`)
    await Promise.all(paths.filter((path) => !kept.has(path)).map((path) => fs.rm(path, { force: true })))
  }).pipe(Effect.mapError(opFailed("work disk")))

export const handlers = WorkDiskOps.toLayer({
  "work.Find": ({ vm }) => Effect.sync(() => existsSync(workFile(vm))),
  "work.Ensure": ({ diskMib, seed, slot, vm }) => ensure(vm, slot, diskMib, seed),
  "work.Remove": ({ vm }) => remove(vm),
  "work.DropSeeds": ({ keep }) => dropSeeds(keep),
  "work.Facts": () => facts
})
