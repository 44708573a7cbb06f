import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Digest, VmId } from "@banger/domain/ids.ts"
import { run } from "../exec.ts"
import { file, removeFile } from "../files.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { cowFile, dmName, estate, jail, ROOT_STATE, stored } from "../paths.ts"
import { feature } from "../kernel-feature.ts"
import { toolPath, version } from "../tool.ts"
import { dmDevices, loopDevices } from "./devices.ts"
import { DmOps } from "./ops.ts"
import { cowBytes, snapshotTable } from "./table.ts"

const loop = (path: string, readOnly: boolean) =>
  run(["losetup", "--find", "--show", ...(readOnly ? ["--read-only"] : []), path]).pipe(Effect.map((device) => device.trim()))

const ensure = (vm: VmId, image: Digest) =>
  Effect.gen(function*() {
    const found = dmDevices().get(dmName(vm))
    if (found?.live === true) return
    if (found !== undefined) yield* run(["dmsetup", "remove", dmName(vm)])
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
  Effect.suspend(() => dmDevices().has(dmName(vm)) ? Effect.asVoid(run(["dmsetup", "remove", dmName(vm)])) : Effect.void).pipe(
    Effect.retry({ schedule: Schedule.exponential("50 millis").pipe(Schedule.upTo("10 seconds")) }),
    (removal) => Effect.zipRight(refuseWhileJailed(vm), removal),
    Effect.mapError(opFailed(`dm device ${dmName(vm)}`))
  )

const ensureCow = (vm: VmId, image: Digest) =>
  file(cowFile(vm), async () => {
    await fs.mkdir(estate(vm), { recursive: true, mode: 0o711 })
    if (existsSync(cowFile(vm))) return
    const { size } = await fs.stat(stored(image))
    const handle = await fs.open(`${cowFile(vm)}.new`, "w", 0o600)
    await handle.truncate(cowBytes(size))
    await handle.close()
    await fs.rename(`${cowFile(vm)}.new`, cowFile(vm))
  }).pipe(Effect.mapError(opFailed("COW file")))

const removeCow = (vm: VmId) => removeFile(estate(vm), [cowFile(vm), `${cowFile(vm)}.new`]).pipe(Effect.mapError(opFailed("COW file")))

/** A helper that was killed between `losetup` and `--detach` left loop devices that go with nobody. Run before any operation. */
export const prepare = Effect.suspend(() => {
  const [first, ...rest] = loopDevices(ROOT_STATE).filter(({ autoclear }) => !autoclear).map(({ name }) => `/dev/${name}`)
  return first === undefined ? Effect.void : Effect.asVoid(run(["losetup", "--detach", first, ...rest]))
}).pipe(Effect.mapError(opFailed("loop devices")))

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
  loopControl: Effect.suspend(() => feature(existsSync("/dev/loop-control"), "loop"))
})

export const handlers = DmOps.toLayer({
  "dm.Find": ({ vm }) => Effect.sync(() => dmDevices().get(dmName(vm))?.live === true),
  "dm.Ensure": ({ image, vm }) => ensure(vm, image),
  "dm.Remove": ({ vm }) => remove(vm),
  "dm.EnsureCow": ({ image, vm }) => ensureCow(vm, image),
  "dm.RemoveCow": ({ vm }) => removeCow(vm),
  "dm.Facts": () => facts
})
