/** Bytes a device-mapper sector stands for. */
const SECTOR = 512

/** 4 KiB chunks, ext4's block: whole-block writes then copy nothing from the origin. */
const CHUNK_SECTORS = 8

/** One line for `dmsetup create`: a persistent snapshot of the whole origin. */
export const snapshotTable = (originBytes: number, origin: string, cow: string): string =>
  `0 ${Math.floor(originBytes / SECTOR)} snapshot ${origin} ${cow} P ${CHUNK_SECTORS}`

/**
 * Size of the sparse COW file: the origin rewritten once plus the exception tables, which take 16 bytes for each 4 KiB
 * chunk (0.4 %) in whole chunks. A full COW device would destroy the snapshot for good, so it can never get full.
 */
export const cowBytes = (originBytes: number): number =>
  Math.ceil((originBytes * 1.01 + (1 << 20)) / (1 << 20)) * (1 << 20)
