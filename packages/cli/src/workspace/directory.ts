import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs"
import { basename, resolve } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { LocalFailure } from "../failure/errors.ts"
import { shellWord } from "../output/shell-word.ts"
import { join, type Member, readable, shown } from "./listing.ts"
import { tar } from "./tar.ts"
import { isName } from "./work-tree.ts"
import type { Sending } from "./workspace.ts"

/** A directory that is sent as it is, whatever git says of it. */
export interface Directory {
  /** Absolute, without a symlink on the way. */
  readonly from: string
  /** `/root/NAME` in the guest. */
  readonly target: string
  readonly members: ReadonlyArray<Member>
  readonly bytes: number
}

/** A directory as it is named on the command line. */
export interface Named {
  readonly from: string
  /** Undefined: its own. */
  readonly name: string | undefined
}

/** All that is below a directory but sockets, FIFOs and devices, which mean nothing elsewhere. Throws what the user must hear. */
const below = (top: Buffer): ReadonlyArray<Member> => {
  const members: Array<Member> = []
  const look = (directory: Buffer) => {
    for (const name of readdirSync(directory.length === 0 ? top : join(top, directory), { encoding: "buffer" })) {
      const path = directory.length === 0 ? name : join(directory, name)
      const stat = lstatSync(join(top, path), { throwIfNoEntry: false, bigint: true })
      const mode = Number((stat?.mode ?? 0n) & 0o7777n)
      if (stat?.isDirectory() === true) {
        members.push({ path, kind: "directory", mode, bytes: 0 })
        look(path)
      } else if (stat?.isSymbolicLink() === true) {
        members.push({ path, kind: "symlink", mode, bytes: 0 })
      } else if (stat?.isFile() === true) {
        if (!readable(join(top, path), stat)) throw new Error(`${shown(path)} may not be read`)
        members.push({ path, kind: "file", mode, bytes: Number(stat.size) })
      }
    }
  }
  look(Buffer.alloc(0))
  return members
}

/** Where a directory is, and where it goes. */
export type Located = Pick<Directory, "from" | "target">

const failing = (given: string) => (error: unknown) =>
  new LocalFailure({ problem: `cannot send ${given}: ${(error as Error).message}`, fix: `ls -la ${shellWord(given)} shows what is there, and who may read it` })

/** Where a directory that was named is; one whose own name ends as `DIR:NAME` does is that one. */
export const locate = ({ from: given, name }: Named): Effect.Effect<Located, LocalFailure> => {
  const whole = name === undefined ? given : `${given}:${name}`
  const own = name === undefined || existsSync(resolve(whole))
  return Effect.try({
    try: () => {
      const from = realpathSync(resolve(own ? whole : given))
      if (!lstatSync(from).isDirectory()) throw new Error("it is no directory")
      if (from === "/") throw new Error("the whole host is not sent")
      const target = own ? basename(from) : name
      if (!isName(target)) throw new Error(`its name is no text: ${given}:NAME gives it one`)
      return { from, target: `/root/${target}` }
    },
    catch: failing(own ? whole : given)
  })
}

/** What would be sent of a directory: decided before anything is made. */
export const listed = ({ from, target }: Located): Effect.Effect<Directory, LocalFailure> =>
  Effect.try({
    try: () => {
      const members = below(Buffer.from(from))
      return { from, target, members, bytes: members.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
    catch: failing(from)
  })

export const planDirectory = (named: Named): Effect.Effect<Directory, LocalFailure> => Effect.flatMap(locate(named), listed)

/** The names that make all of a directory: "." brings its own mode, and makes one that is empty. */
export const wholeOf = (members: ReadonlyArray<Member>): ReadonlyArray<Buffer> => [Buffer.from("."), ...members.map(({ path }) => path)]

/** Some names of a directory, ready to be sent. Nothing gets a time to come. `also`: arguments of tar's. */
export const archiveOf = (from: string, to: string, names: ReadonlyArray<Buffer>, also: ReadonlyArray<string> = []) =>
  Effect.gen(function*() {
    const begin = yield* tar(from, Math.floor((yield* Clock.currentTimeMillis) / 1000), also)
    return { to, read: (told) => begin(names, told) } satisfies Sending
  })

export const prepareDirectory = ({ from, members, target }: Directory) => archiveOf(from, target, wholeOf(members))
