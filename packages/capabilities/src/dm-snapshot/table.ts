/** Bytes a device-mapper sector stands for. */
const SECTOR = 512

/** 4 KiB chunks, ext4's block: whole-block writes then copy nothing from the origin. */
const CHUNK_SECTORS = 8

/** One line for `dmsetup create`: a persistent snapshot of the whole origin. */
export const snapshotTable = (originBytes: number, origin: string, cow: string): string =>
  `0 ${Math.floor(originBytes / SECTOR)} snapshot ${origin} ${cow} P ${CHUNK_SECTORS}`

/** Bytes of a COW file's beginning that say what it is: a magic number and whether it is valid, little-endian. */
export const COW_HEADER = 8
const SNAP = 0x70416e53

/** The kernel's own mark of a snapshot that missed a write; a file that was never used has no header. */
export const markedLost = (header: Buffer): boolean => header.readUInt32LE(0) === SNAP && header.readUInt32LE(4) === 0

/** Of what `dmsetup status` prints, the devices whose snapshot is lost: one failed write to the COW file ends it for good. */
export const lostDevices = (status: string): ReadonlyArray<string> =>
  status.split("\n").flatMap((line) => /^(\S+): \d+ \d+ snapshot (?:Invalid|Overflow|Merge failed)/.exec(line)?.[1] ?? [])

/**
 * Size of the sparse COW file: the origin rewritten once plus the exception tables, which take 16 bytes for each 4 KiB
 * chunk (0.4 %) in whole chunks. A full COW device would destroy the snapshot for good, so it can never get full.
 */
export const cowBytes = (originBytes: number): number =>
  Math.ceil((originBytes * 1.01 + (1 << 20)) / (1 << 20)) * (1 << 20)
