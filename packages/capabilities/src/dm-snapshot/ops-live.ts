import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { type Digest, VmId } from "@banger/domain/ids.ts"
import { run } from "../exec.ts"
import { file, makeDirectory, place, removeFile } from "../files.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { feature } from "../kernel-feature.ts"
import { within } from "../monotonic.ts"
import { cowFile, dmName, estate, jail, ROOT_STATE, stored, workFile } from "../paths.ts"
import { keepReserve } from "../reserve.ts"
import { toolPath, version } from "../tool.ts"
import { dmDevices, loopDevices } from "./devices.ts"
import { DmOps } from "./ops.ts"
import { COW_HEADER, cowBytes, lostDevices, markedLost, snapshotTable } from "./table.ts"

const loop = (path: string, readOnly: boolean) =>
  run(["losetup", "--find", "--show", ...(readOnly ? ["--read-only"] : []), path]).pipe(Effect.map((device) => device.trim()))

const refuseLost = (vm: VmId) =>
  Effect.gen(function*() {
    const header = yield* file(cowFile(vm), async () => {
      const handle = await fs.open(cowFile(vm), "r")
      const { buffer } = await handle.read(Buffer.alloc(COW_HEADER), 0, COW_HEADER, 0).finally(() => handle.close())
      return buffer
    })
    if (markedLost(header)) return yield* new OpFailed({
      subject: "root disk",
      problem: "it is lost: the host's disk was full while the VM wrote to it",
      fix: `what was in /root is an ext4 of its own, ${workFile(vm)}; banger vm delete removes it, too`
    })
  })

/**
 * Nobody waits for udev to be done with a name. Under Debian's SELinux policy udev could not even say that it is: it does so by a
 * semaphore of dmsetup's, which it may not touch, since NoNewPrivileges keeps the helper's dmsetup out of the domain lvm_t.
 */
const removal = (vm: VmId) => ["dmsetup", "remove", dmName(vm), "--noudevsync"] as const

const ensure = (vm: VmId, image: Digest) =>
  Effect.gen(function*() {
    const found = dmDevices().get(dmName(vm))
    if (found?.live === true) return
    yield* keepReserve("root disk")
    yield* refuseLost(vm)
    if (found !== undefined) yield* run(removal(vm))
    const { size } = yield* file(stored(image), () => fs.stat(stored(image)))
    const loops = yield* Effect.all([loop(stored(image), true), loop(cowFile(vm), false)], { concurrency: 2, mode: "either" })
    const made = yield* Effect.all(loops).pipe(
      Effect.flatMap(([origin, cow]) =>
        // Whoever uses the device takes it by its number: nobody waits for udev to name it.
        run(["dmsetup", "create", dmName(vm), "--noudevsync", "--uuid", `BANGER-${vm}`, "--table", snapshotTable(size, origin, cow)])
      ),
      Effect.exit
    )
    // A loop device detached while in use stays until its last user goes, so none outlives the dm device, or a failure here.
    const devices = Array.getRights(loops)
    if (devices.length > 0) yield* run(["losetup", "--detach", ...devices])
    yield* made
  }).pipe(Effect.mapError(opFailed(`dm device ${dmName(vm)}`)))

/** A jail holds a node of the device, by number: once the device is gone the number may be another one's. */
const refuseWhileJailed = (vm: VmId) =>
  Effect.suspend(() => existsSync(jail(vm))
    ? new OpFailed({ subject: `dm device ${dmName(vm)}`, problem: "its VM's jail stands", fix: "banger doctor --leaks says what is left of it" })
    : Effect.void)

/** EBUSY lasts until the last opener is gone: Firecracker was waited for, udev or a `blkid` may take a moment more. */
const remove = (vm: VmId) =>
  Effect.suspend(() => dmDevices().has(dmName(vm)) ? Effect.asVoid(run(removal(vm))) : Effect.void).pipe(
    Effect.retry({ schedule: Schedule.exponential("50 millis").pipe(within("10 seconds")) }),
    (removing) => Effect.zipRight(refuseWhileJailed(vm), removing),
    Effect.mapError(opFailed(`dm device ${dmName(vm)}`))
  )

const ensureCow = (vm: VmId, image: Digest) =>
  file(cowFile(vm), async () => {
    await makeDirectory(estate(vm), 0o711)
    if (existsSync(cowFile(vm))) return
    const { size } = await fs.stat(stored(image))
    const handle = await fs.open(`${cowFile(vm)}.new`, "w", 0o600)
    await handle.truncate(cowBytes(size))
    await handle.close()
    await place(`${cowFile(vm)}.new`, cowFile(vm))
  }).pipe(Effect.mapError(opFailed("COW file")))

const removeCow = (vm: VmId) => removeFile(estate(vm), [cowFile(vm), `${cowFile(vm)}.new`]).pipe(Effect.mapError(opFailed("COW file")))

/** A helper that was killed between `losetup` and `--detach` left loop devices that go with nobody. Run before any operation. */
export const prepare = Effect.suspend(() => {
  const [first, ...rest] = loopDevices(ROOT_STATE).filter(({ autoclear }) => !autoclear).map(({ name }) => `/dev/${name}`)
  return first === undefined ? Effect.void : Effect.asVoid(run(["losetup", "--detach", first, ...rest]))
}).pipe(Effect.mapError(opFailed("loop devices")))

const PREFIX = "banger-"

const lost = run(["dmsetup", "status", "--target", "snapshot"]).pipe(
  Effect.map((status) => lostDevices(status).map((name) => name.slice(PREFIX.length)).filter(Schema.is(VmId)))
)

/** What a guest wrote is in the block device's page cache first: room on the disk is taken only once it is written out. */
const flush = Effect.suspend(() => Effect.forEach([...dmDevices()].filter(([name]) => name.startsWith(PREFIX)), ([name, { number }]) =>
  file(name, async () => {
    const handle = await fs.open(`/dev/dm-${number.split(":")[1]}`, "r")
    await handle.sync().finally(() => handle.close())
  }).pipe(
    // A device that is gone by now has nothing left to write; one that is lost says so below.
    Effect.ignore
  ), { concurrency: "unbounded", discard: true })).pipe(Effect.zipRight(lost), Effect.mapError(opFailed("root disks")))

/** What a doctor asks of the host before and after an install. */
export const facts = Effect.all({
  // Only root is told its version.
  dmsetup: Effect.map(version(["dmsetup", "version"]), (said) => said ?? toolPath("dmsetup")),
  losetup: version(["losetup", "--version"]),
  control: Effect.suspend(() => feature(existsSync("/dev/mapper/control"), "dm_mod")),
  snapshot: run(["dmsetup", "targets"]).pipe(
    Effect.map((targets) => /^snapshot\s/m.test(targets)),
    Effect.orElseSucceed(() => existsSync("/sys/module/dm_snapshot")),
    Effect.flatMap((present) => feature(present, "dm_snapshot"))
  ),
  loopControl: Effect.suspend(() => feature(existsSync("/dev/loop-control"), "loop")),
  lost: Effect.orElseSucceed(lost, () => [])
})

export const handlers = DmOps.toLayer({
  "dm.Find": ({ vm }) => Effect.sync(() => dmDevices().get(dmName(vm))?.live === true),
  "dm.Ensure": ({ image, vm }) => ensure(vm, image),
  "dm.Remove": ({ vm }) => remove(vm),
  "dm.EnsureCow": ({ image, vm }) => ensureCow(vm, image),
  "dm.RemoveCow": ({ vm }) => removeCow(vm),
  "dm.Flush": () => flush,
  "dm.Facts": () => facts
})
