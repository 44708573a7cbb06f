import { statfsSync, statSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { BadConfig } from "@banger/domain/config-file.ts"
import { size } from "@banger/domain/size.ts"
import { FileFailed } from "./files.ts"
import { OpFailed, opFailed } from "./op-failed.ts"
import { ROOT_STATE } from "./paths.ts"

/**
 * Bytes that the disk of the VMs keeps free: below it nothing new is made and running VMs are paused, since a full disk destroys dm
 * snapshots for good. The figure is that of /etc/banger/host.toml: the helper reads it, the daemon is told it, a command reads it.
 */
export class Reserve extends Context.Tag("@banger/capabilities/Reserve")<Reserve, Effect.Effect<number, BadConfig>>() {}

export const reserveBytes = Effect.flatten(Reserve)

/** The flag by which every program of banger's that writes is told of it. */
export const reserveFlag = Effect.map(reserveBytes, (bytes) => ["--reserve", String(bytes)] as const)

interface Disk {
  readonly free: number
  /** Two directories on one file system, or in one pool, have the same. */
  readonly identity: string
}

/** btrfs, ZFS and bcachefs, by statfs(2): parts of one pool share its room, and each has a device number and figures of its own. Two of a kind count as one pool. */
const POOLED: ReadonlyArray<number> = [0x9123683e, 0x2fc12fc1, 0xca451a4e]

/** By the file system's type and the device number. */
export const identityOf = (type: number, dev: number): string => POOLED.includes(type) ? `pool ${type}` : `device ${dev}`

/**
 * Not through the thread pool: writes to a disk that is full or slow may hold all its threads just when one asks. What
 * ext4 keeps for root counts as taken, since Firecracker has no share in it.
 */
const diskOf = (directory: string) =>
  Effect.try({
    try: (): Disk => {
      const { bavail, bsize, type } = statfsSync(directory)
      return { free: bavail * bsize, identity: identityOf(type, statSync(directory).dev) }
    },
    catch: (error) => new FileFailed({ path: directory, code: "", problem: error instanceof Error ? error.message : String(error) })
  })

/** Free bytes where the VMs' disks lie. */
export const freeBytes = Effect.map(diskOf(ROOT_STATE), ({ free }) => free)

/** The reserve is that of the VMs' disk; what is written elsewhere need only fit. */
const left = (directory: string, reserve: number) =>
  Effect.map(Effect.all([diskOf(directory), Effect.option(diskOf(ROOT_STATE))]), ([disk, ofVms]) =>
    ({ free: disk.free, reserve: ofVms._tag === "Some" && ofVms.value.identity === disk.identity ? reserve : 0 }))

/** Whether work was refused, or ended, for want of room. */
export const isShort = (error: unknown): error is OpFailed => error instanceof OpFailed

/** How little room there is, for people. */
const shortOf = (free: number, reserve: number, wanted: number) =>
  `the host's disk is nearly full: ${size(free)} free${wanted === 0 ? "" : `, ${size(wanted)} are wanted`}, ${size(reserve)} are kept in reserve`

export const MAKE_ROOM = "banger df shows what takes room, banger prune removes what nothing uses; or delete VMs that are no longer needed"

const kept = (figure: number, subject: string, bytes: number, directory: string) =>
  Effect.gen(function*() {
    const { free, reserve } = yield* Effect.mapError(left(directory, figure), opFailed(subject))
    if (free - bytes >= reserve) return
    return yield* new OpFailed(reserve > 0
      ? { subject, problem: shortOf(free, reserve, bytes), fix: MAKE_ROOM }
      : { subject, problem: `${directory} has ${size(free)} free, ${size(bytes)} are wanted`, fix: `df -h ${directory}; ${MAKE_ROOM}` })
  })

const known = (subject: string) => Effect.mapError(reserveBytes, (error) => opFailed(subject, error.hint)(error))

/** Fails when `bytes` more in the directory would go into the reserve. */
export const keepReserve = (subject: string, bytes = 0, directory = ROOT_STATE) => Effect.flatMap(known(subject), (figure) => kept(figure, subject, bytes, directory))

/** How often one looks while something is written: no disk takes the reserve in less. */
const LOOK = "100 millis"

/** Runs a writer until it ends, or until `look` says that there is no more room. */
export const endedBy = (look: Effect.Effect<void, OpFailed>) => <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E | OpFailed, R> =>
  Effect.raceFirst(
    // The helper's operations are uninterruptible: this part of one may end it.
    Effect.interruptible(write),
    Effect.interruptible(Effect.zipRight(Effect.repeat(look, Schedule.spaced(LOOK)), Effect.never))
  )

/** Writes `bytes`, as far as they are known, and is ended when the reserve is reached all the same: others write, too. */
export const withinReserve = (subject: string, bytes: number, directory: string) => <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E | OpFailed, R | Reserve> =>
  Effect.flatMap(known(subject), (figure) => Effect.zipRight(kept(figure, subject, bytes, directory), endedBy(kept(figure, subject, 0, directory))(write)))
