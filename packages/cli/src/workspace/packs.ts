import { lstatSync, readdirSync, readFileSync } from "node:fs"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import { LocalFailure } from "../failure/errors.ts"
import { git, type GitFailed, gitLines } from "./git.ts"
import type { History } from "./history.ts"
import type { Repository } from "./repository.ts"
import { writingAside } from "./temporary.ts"

/** Packs that are sent as they lie on the disk. */
export interface Ready {
  readonly directory: string
  readonly names: ReadonlyArray<string>
}

/** Repositories that lend objects to one that lends objects: as deep as git follows. */
const LENDERS = 5

/** Where a repository's objects are: its own directory, and those of repositories that it borrows from, which may borrow from it. */
const objectDirectories = (own: string, depth = 0, found = new Set<string>()): ReadonlySet<string> => {
  if (depth > LENDERS || found.has(own)) return found
  found.add(own)
  let lenders: ReadonlyArray<string> = []
  try {
    lenders = readFileSync(`${own}/info/alternates`, "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#"))
  } catch {
    // It borrows from none.
  }
  for (const line of lenders) objectDirectories(resolve(own, line), depth + 1, found)
  return found
}

const INDEX_V2 = Buffer.from([0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2])
const FANOUT = INDEX_V2.length + 256 * 4

/** The ids in a pack's index; none when it is of another kind, or a link. */
const idsIn = (file: string, idBytes: number): ReadonlyArray<string> => {
  if (!lstatSync(file).isFile()) return []
  const bytes = readFileSync(file)
  if (bytes.length < FANOUT || !bytes.subarray(0, INDEX_V2.length).equals(INDEX_V2)) return []
  const ids: Array<string> = []
  for (let left = bytes.readUInt32BE(FANOUT - 4), at = FANOUT; left > 0 && at + idBytes <= bytes.length; left--, at += idBytes) {
    ids.push(bytes.toString("latin1", at, at + idBytes))
  }
  return ids
}

const isFile = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true

/** Takes out of the objects those in packs that hold nothing else: what HEAD does not reach stays here. */
const takeReady = (repository: Repository, objects: Set<string>): ReadonlyArray<Ready> => {
  const ready: Array<Ready> = []
  for (const lender of objectDirectories(`${repository.commonDir}/objects`)) {
    const directory = `${lender}/pack`
    let listed: ReadonlyArray<string>
    try {
      listed = readdirSync(directory)
    } catch {
      continue
    }
    const names: Array<string> = []
    for (const pack of listed.filter((name) => name.endsWith(".idx")).map((name) => name.slice(0, -4))) {
      if (!isFile(`${directory}/${pack}.pack`)) continue
      const ids = idsIn(`${directory}/${pack}.idx`, repository.format === "sha256" ? 32 : 20)
      if (ids.length === 0 || !ids.every((id) => objects.has(id))) continue
      for (const id of ids) objects.delete(id)
      names.push(...[".pack", ".idx", ".promisor"].map((end) => `${pack}${end}`).filter((name) => isFile(`${directory}/${name}`)))
    }
    if (names.length > 0) ready.push({ directory, names })
  }
  return ready
}

function* lines(objects: Buffer) {
  for (let from = 0; from < objects.length;) {
    const to = objects.indexOf(0x0a, from)
    yield objects.subarray(from, to + 1)
    from = to + 1
  }
}

/** How the objects of a history go along. */
export interface Packing {
  readonly ready: ReadonlyArray<Ready>
  /** A line for each of the others. */
  readonly left: Buffer
  /** What these may take, at most. */
  readonly bytes: number
}

/** What is compressed anew, in haste, may be so many times as large. */
const HASTE = 2

/** Packs that hold nothing else are to be sent from where they are; the rest is to become a pack. */
export const planPacking = (repository: Repository, history: History): Effect.Effect<Packing, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    const { format, top } = repository
    const binary = (id: string) => Buffer.from(id, "hex").toString("latin1")
    const idOf = (line: Buffer) => binary(line.toString("latin1", 0, format === "sha256" ? 64 : 40))
    const objects = new Set<string>()
    for (const line of lines(history.objects)) objects.add(idOf(line))
    const ready = yield* Effect.try({
      try: () => takeReady(repository, objects),
      catch: (error) => new LocalFailure({ problem: `cannot pack ${top}: ${(error as Error).message}`, fix: `git -C ${top} fsck says more` })
    })
    if (objects.size === 0) return { ready, left: Buffer.alloc(0), bytes: 0 }
    const left = Buffer.concat([...lines(history.objects)].filter((line) => objects.has(idOf(line))))
    let bytes = 0
    yield* gitLines(top, ["cat-file", "--batch-check=%(deltabase) %(objectsize) %(objectsize:disk) %(rest)"], { stdin: left }, (line) => {
      const [base = "", whole, kept] = line.split(" ", 3)
      // A difference to an object that does not come along cannot be taken over: git writes this one whole.
      bytes += (/^0*$/.test(base) || objects.has(binary(base)) ? HASTE * Number(kept) : Number(whole)) || 0
      return true
    })
    return { ready, left, bytes }
  })

/** Puts the objects that are in no pack that is ready into the directory of a repository in the making; what is compressed is taken over as it is. */
export const putObjects = ({ commonDir, partial, top }: Repository, { left }: Packing, gitDir: string): Effect.Effect<void, GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    yield* writingAside(() => mkdir(`${gitDir}/objects/pack`, { recursive: true }))
    if (left.length === 0) return
    yield* writingAside(async () => {
      await mkdir(`${gitDir}/objects/info`)
      await writeFile(`${gitDir}/objects/info/alternates`, `${commonDir}/objects\n`)
    })
    const made = yield* git(top, ["pack-objects", "-q", "--window=0", "--compression=1", `${gitDir}/objects/pack/pack`], {
      env: { GIT_OBJECT_DIRECTORY: `${gitDir}/objects` }, stdin: left, config: ["pack.packSizeLimit=0"]
    })
    yield* writingAside(async () => {
      if (partial) await writeFile(`${gitDir}/objects/pack/pack-${made.toString("latin1").trim()}.promisor`, "")
      await rm(`${gitDir}/objects/info`, { recursive: true })
    })
  })
