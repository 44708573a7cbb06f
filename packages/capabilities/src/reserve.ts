import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { file } from "./files.ts"
import { OpFailed } from "./op-failed.ts"
import { ROOT_STATE } from "./paths.ts"

const MIB = 2 ** 20

/** What the host's disk keeps free: below it new VMs and images are refused, since a full disk destroys dm snapshots for good. */
export const RESERVE_BYTES = 2048 * MIB

const freeAt = (directory: string) => Effect.map(file(directory, () => fs.statfs(directory)), ({ bavail, bsize }) => bavail * bsize)

/** Free bytes where root's files lie. */
export const freeBytes = freeAt(ROOT_STATE)

/** Fails when `bytes` more in the directory would go into the reserve. */
export const keepReserve = (subject: string, bytes = 0, directory = ROOT_STATE) =>
  Effect.gen(function*() {
    const free = yield* freeAt(directory)
    if (free - bytes >= RESERVE_BYTES) return
    const mib = (value: number) => `${Math.floor(value / MIB)} MiB`
    const wanted = bytes === 0 ? "" : `, ${mib(bytes)} are wanted`
    return yield* new OpFailed({
      subject,
      problem: `the host's disk is nearly full: ${mib(free)} free${wanted}, ${mib(RESERVE_BYTES)} are kept in reserve`,
      fix: "banger df shows what takes room, banger prune removes what nothing uses; or delete VMs that are no longer needed"
    })
  })
