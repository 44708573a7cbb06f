import { constants, existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { type Digest, Digest as DigestSchema, type StagingId, type VmId } from "@banger/domain/ids.ts"
import * as Schema from "effect/Schema"
import { allocatedBytes, file, place, wholly } from "../files.ts"
import { HostSettings } from "../host-settings.ts"
import { OpFailed, opFailed } from "../op-failed.ts"
import { dmDevices } from "../dm-snapshot/devices.ts"
import { forgetInitrds } from "../firecracker/initrd.ts"
import { cowFile, dmName, INITRDS, jail, SEEDS, staged, STORE, stored, workFile } from "../paths.ts"
import { reserveFlag, withinReserve } from "../reserve.ts"
import { bangerStore } from "./copy.ts"
import { opened, openedOfOwner } from "./opened.ts"
import { ImageStoreOps } from "./ops.ts"

const temporary = (what: string) => `${STORE}/.new-${what}`

/** What a copy of an open file takes of the disk: nothing where the file system shares it. */
const bytesOf = (source: fs.FileHandle, probe: string) =>
  file(probe, async () => {
    const shared = await fs.copyFile(`/proc/self/fd/${source.fd}`, probe, constants.COPYFILE_FICLONE_FORCE).then(() => true, () => false)
    await fs.rm(probe, { force: true })
    return shared ? 0 : allocatedBytes(await source.stat())
  })

/** Makes a file of the store of open ones with banger-store, under a name that tells it is not whole until it is. */
const made = (what: string, [command, ...args]: readonly ["copy" | "merge", ...ReadonlyArray<string>], source: fs.FileHandle, cow?: fs.FileHandle) =>
  Effect.gen(function*() {
    const { install } = yield* HostSettings
    const target = temporary(what)
    yield* file(STORE, () => fs.mkdir(STORE, { recursive: true, mode: 0o711 }))
    const own = yield* bytesOf(source, target)
    const laid = cow === undefined ? 0 : allocatedBytes(yield* file(target, () => cow.stat()))
    const copied = yield* bangerStore([`${install}/bin/banger-store`, command, ...yield* reserveFlag, target, ...args], source, cow).pipe(
      withinReserve("image store", own + laid, STORE),
      wholly(target)
    )
    yield* file(stored(copied.digest), () => place(target, stored(copied.digest)))
    return copied
  })

const ingest = (staging: StagingId) =>
  Effect.gen(function*() {
    const { owner } = yield* HostSettings
    const source = yield* openedOfOwner(staged(staging), owner.uid)
    const copied = yield* made(staging, ["copy"], source)
    yield* file(staged(staging), () => fs.rm(staged(staging), { force: true }))
    return copied
  }).pipe(Effect.scoped, Effect.mapError(opFailed("image store")))

const MIB = 2 ** 20

const extend = (digest: Digest, sizeMib: number) =>
  Effect.flatMap(opened(stored(digest)), (source) => made(digest, ["copy", String(sizeMib * MIB)], source)).pipe(
    Effect.scoped,
    Effect.mapError(opFailed("image store"))
  )

/** What is copied must stand still: no dm device, and no jail with a link to the work disk. */
const refuseWhileUsed = (vm: VmId) =>
  Effect.suspend(() => existsSync(jail(vm)) || dmDevices().has(dmName(vm))
    ? new OpFailed({ subject: "image store", problem: `the VM ${vm} is in use`, fix: "stop it first" })
    : Effect.void)

const seal = (vm: VmId, image: Digest) =>
  Effect.gen(function*() {
    yield* refuseWhileUsed(vm)
    const [origin, cow, work] = yield* Effect.all([opened(stored(image)), opened(cowFile(vm)), opened(workFile(vm))])
    return yield* Effect.all({
      rootfs: made(`${vm}-root`, ["merge"], origin, cow),
      seed: made(`${vm}-work`, ["copy"], work)
    }, { concurrency: 2 })
  }).pipe(Effect.scoped, Effect.mapError(opFailed("image store")))

/** A kernel's modules lie in the initrds, too, that they were joined into. */
const remove = (digest: Digest) =>
  forgetInitrds(digest).pipe(
    Effect.zipRight(file(stored(digest), () => fs.rm(stored(digest), { force: true }))),
    Effect.mapError(opFailed("image store"))
  )

const list = file(STORE, async () => {
  await fs.mkdir(STORE, { recursive: true, mode: 0o711 })
  return (await fs.readdir(STORE)).filter(Schema.is(DigestSchema))
}).pipe(Effect.mapError(opFailed("image store")))

const facts = Effect.forEach([["store", STORE], ["seeds", SEEDS], ["initrds", INITRDS]] as const, ([area, directory]) =>
  file(directory, async () => {
    const names = await fs.readdir(directory).catch(() => [])
    const stats = await Promise.all(names.map((name) => fs.lstat(`${directory}/${name}`).then((stat) => ({ area, name, apparentBytes: stat.size, allocatedBytes: allocatedBytes(stat) }), () => undefined)))
    return stats.filter((stat) => stat !== undefined)
  }), { concurrency: 3 }).pipe(Effect.map((areas) => areas.flat()), Effect.mapError(opFailed("image store")))

/** Half-made copies of a helper that was killed. */
export const prepare = file(STORE, async () => {
  await fs.mkdir(STORE, { recursive: true, mode: 0o711 })
  const names = await fs.readdir(STORE)
  await Promise.all(names.filter((name) => name.startsWith(".new-")).map((name) => fs.rm(`${STORE}/${name}`)))
}).pipe(Effect.mapError(opFailed("image store")))

export const handlers = ImageStoreOps.toLayer({
  "store.Ingest": ({ staging }) => ingest(staging),
  "store.Extend": ({ digest, sizeMib }) => extend(digest, sizeMib),
  "store.Seal": ({ image, vm }) => seal(vm, image),
  "store.Remove": ({ digest }) => remove(digest),
  "store.Facts": () => facts,
  "store.List": () => list
})
