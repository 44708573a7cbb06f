import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { killed } from "@banger/capabilities/killed.ts"
import { isShort, withinReserve } from "@banger/capabilities/reserve.ts"
import { BadSource } from "@banger/domain/errors.ts"
import { type StagingId, stagingId } from "@banger/domain/ids.ts"
import { LocalFailure } from "../failure/errors.ts"
import { moving } from "../output/progress.ts"
import { canRedraw } from "../output/terminal.ts"
import { withHostReserve } from "./host-config.ts"
import { staging } from "./paths.ts"

const pathOf = (id: StagingId) => `${staging()}/${id}`

/** A place in the staging directory. The daemon takes the file from it; what is left when the scope closes is removed. */
export const place: Effect.Effect<{ readonly id: StagingId; readonly path: string }, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const id = stagingId("client", randomBytes(8).toString("hex"))
    return { id, path: pathOf(id) }
  }),
  ({ path }) => Effect.promise(() => fs.rm(path, { force: true, recursive: true }).catch(() => {}))
)

/** Work in the staging directory that writes so many bytes, as far as they are known, and takes nothing of the reserve of the VMs' disk. */
export const withRoom = (subject: string, bytes = 0, directory = staging()) => <A, E, R>(write: Effect.Effect<A, E, R>): Effect.Effect<A, E | LocalFailure, R> =>
  withinReserve(subject, bytes, directory)(write).pipe(
    withHostReserve,
    Effect.catchIf(isShort, ({ hint, message }) => new LocalFailure({ problem: message, fix: hint }))
  )

/** How often the progress line moves on, in milliseconds. */
const TICK = 200

/** Tells how much of a copy is there, until the scope closes. */
const watched = (path: string, bytes: number, told: (done: number, total: number) => void) =>
  Effect.acquireRelease(
    Effect.sync(() => canRedraw(process.stderr) ? setInterval(() => void fs.stat(path).then(({ size }) => told(size, bytes), () => {}), TICK) : undefined),
    (tick) => Effect.sync(() => clearInterval(tick))
  )

const copy = (from: string, to: string): Effect.Effect<void, LocalFailure> =>
  Effect.async((resume) => {
    let said = ""
    const child = spawn("cp", ["--recursive", "--reflink=auto", "--sparse=always", "--", from, to], { stdio: ["ignore", "ignore", "pipe"] })
    child.stderr.on("data", (text) => said = (said + text).slice(-4_096))
    child.on("error", (error) => resume(new LocalFailure({ problem: error.message, fix: "" })))
    child.on("close", (status) => {
      if (status === 0) return resume(Effect.void)
      resume(new LocalFailure({ problem: `cannot copy ${from}: ${said.trim().split("\n")[0]?.replace(/^cp: /, "")}`, fix: `ls -ld ${staging()}; df -h ${staging()}` }))
    })
    return killed(child)
  })

/** Bytes that a file, or all in a directory, takes on the disk; a copy keeps its holes. */
const allocated = async (path: string): Promise<number> => {
  const stat = await fs.lstat(path)
  const own = stat.blocks * 512
  if (!stat.isDirectory()) return own
  let sum = own
  for (const name of await fs.readdir(path)) sum += await allocated(`${path}/${name}`)
  return sum
}

/** Where the file system can, a copy that shares the file's blocks: it takes no time and no room. */
const shared = (from: string, to: string) => Effect.promise(() => fs.copyFile(from, to, fs.constants.COPYFILE_FICLONE_FORCE).then(() => true, () => false))

/** Copies a file or directory of the user's to where the daemon may take it from. */
export const stage = (from: string): Effect.Effect<StagingId, LocalFailure | BadSource, Scope.Scope> =>
  Effect.gen(function*() {
    const stat = yield* Effect.tryPromise({
      try: () => fs.stat(from),
      catch: () => new BadSource({ path: from, problem: "there is no such file", fix: "check the path" })
    })
    if (!stat.isFile() && !stat.isDirectory()) return yield* new BadSource({ path: from, problem: "it is neither a file nor a directory", fix: "give a file" })
    const { id, path } = yield* place
    if (stat.isFile() && (yield* shared(from, path))) return id
    const bytes = yield* Effect.tryPromise({
      // What a link leads to is copied, where the link itself is named.
      try: async () => allocated(await fs.realpath(from)),
      catch: (error) => new BadSource({ path: from, problem: (error as Error).message, fix: "check the path" })
    })
    yield* moving(`copying ${from}`, (told) =>
      Effect.scoped(Effect.zipRight(watched(path, stat.size, told), withRoom(`cannot copy ${from}`, bytes)(copy(from, path)))))
    return id
  })

const MAGIC_AT = 1024 + 0x38
const MAGIC = 0xef53

/** Whether a file is an ext2, 3 or 4 file system: its superblock says so. */
export const isExt4 = (path: string): Effect.Effect<boolean, BadSource> =>
  Effect.tryPromise({
    try: async () => {
      const file = await fs.open(path, "r")
      try {
        if (!(await file.stat()).isFile()) return false
        const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, MAGIC_AT)
        return bytesRead === 2 && buffer.readUInt16LE() === MAGIC
      } finally {
        await file.close()
      }
    },
    catch: (error) => new BadSource({ path, problem: (error as Error).message, fix: "check the path" })
  })

/** Asked before gigabytes are copied. */
export const checkExt4 = (path: string): Effect.Effect<void, BadSource> =>
  Effect.flatMap(isExt4(path), (is) => is ? Effect.void : Effect.fail(new BadSource({
    path,
    problem: "it is not an ext4 file system",
    fix: "banger image import takes archives and container images"
  })))
