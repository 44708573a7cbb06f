import { createHash } from "node:crypto"

/** git's index as a file, versions 2 and 3: what git writes when it is asked for version 2. */
export interface Entry {
  readonly path: Buffer
  readonly id: string
  /** Of the file's type and rights, as git keeps them. */
  readonly mode: number
  /** 0, or the side of a conflict. */
  readonly stage: number
  /** The user asked git not to look at the file. */
  readonly assumeUnchanged: boolean
  /** Tracked, but left out of the work tree on purpose (sparse checkout). */
  readonly skipWorktree: boolean
  readonly stat: EntryStat
  /** Where it begins in the file. */
  readonly at: number
}

/** What git remembers of the file by which it knows it again; 32 bits each. */
export interface EntryStat {
  readonly ctime: readonly [number, number]
  readonly mtime: readonly [number, number]
  readonly inode: number
  readonly size: number
}

export interface IndexFile {
  readonly bytes: Buffer
  readonly entries: ReadonlyArray<Entry>
  /** Bytes of an object's id: 20, or 32 for sha256. */
  readonly idBytes: number
  /** Where the extensions begin. */
  readonly end: number
}

const HEADER = 12
const STAT = 40
export const GITLINK = 0o160000

/** Throws when it is none. */
export const parseIndex = (bytes: Buffer, idBytes: number): IndexFile => {
  const version = bytes.toString("latin1", 0, 4) === "DIRC" ? bytes.readUInt32BE(4) : 0
  if (version !== 2 && version !== 3) throw new Error("the index is not of a version that is known")
  const entries: Array<Entry> = []
  let at = HEADER
  for (let left = bytes.readUInt32BE(8); left > 0; left--) {
    const word = (index: number) => bytes.readUInt32BE(at + 4 * index)
    const flagsAt = at + STAT + idBytes
    const flags = bytes.readUInt16BE(flagsAt)
    const extended = (flags & 0x4000) === 0 ? 0 : bytes.readUInt16BE(flagsAt + 2)
    const nameAt = flagsAt + ((flags & 0x4000) === 0 ? 2 : 4)
    const nameEnd = bytes.indexOf(0, nameAt)
    if (nameEnd === -1) throw new Error("the index ends too early")
    entries.push({
      path: bytes.subarray(nameAt, nameEnd),
      id: bytes.toString("hex", at + STAT, flagsAt),
      mode: word(6),
      stage: (flags >> 12) & 3,
      assumeUnchanged: (flags & 0x8000) !== 0,
      skipWorktree: (extended & 0x4000) !== 0,
      stat: { ctime: [word(0), word(1)], mtime: [word(2), word(3)], inode: word(5), size: word(9) },
      at
    })
    // One to eight NULs end an entry at a multiple of eight bytes.
    at += (nameEnd - at + 8) & ~7
  }
  return { bytes, entries, idBytes, end: at }
}

/** Extensions that stay true in another place: the trees that the entries make, conflicts that were resolved. */
const PORTABLE = new Set(["TREE", "REUC"])

function* extensions({ bytes, end, idBytes }: IndexFile) {
  for (let at = end; at + 8 <= bytes.length - idBytes;) {
    const next = at + 8 + bytes.readUInt32BE(at + 4)
    yield { name: bytes.toString("latin1", at, at + 4), content: bytes.subarray(at, next) }
    at = next
  }
}

/** The same index in another place: of each file git knows again its time and size, or nothing. */
export const movedIndex = (index: IndexFile, known: (entry: Entry) => { readonly mtime: number; readonly size: number } | undefined): Buffer => {
  const body = Buffer.from(index.bytes.subarray(0, index.end))
  for (const entry of index.entries) {
    const stat = known(entry)
    body.fill(0, entry.at, entry.at + 24)
    body.fill(0, entry.at + 28, entry.at + STAT)
    body.writeUInt32BE((stat?.mtime ?? 0) >>> 0, entry.at + 8)
    body.writeUInt32BE((stat?.size ?? 0) >>> 0, entry.at + 36)
  }
  const parts = [body, ...[...extensions(index)].filter(({ name }) => PORTABLE.has(name)).map(({ content }) => content)]
  const digest = createHash(index.idBytes === 32 ? "sha256" : "sha1")
  for (const part of parts) digest.update(part)
  return Buffer.concat([...parts, digest.digest()])
}
