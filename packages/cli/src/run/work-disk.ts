import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import { LocalFailure } from "../failure/errors.ts"

/** The share of the work disk that files may take: its file system takes the rest for journal, tables and root. */
const USABLE = 0.9
const MIB = 2 ** 20
const GIB = 2 ** 30
/** A file takes whole blocks. */
const BLOCK = 4096
/** The file system has an inode for so many bytes (native/internal/mkext4). */
const BYTES_PER_INODE = 16_384

/** The sizes of what is sent: those of files, and of the history of each repository. */
interface Sizes {
  readonly members: ReadonlyArray<{ readonly bytes: number }>
  readonly repositories: ReadonlyArray<{ readonly history: { readonly bytes: number } }>
}

/** Refuses what is too large for the work disk, before anything is sent. `fix`: how the disk gets the size that it needs. */
export const mustFit = ({ members, repositories }: Sizes, diskMib: number, fix = (size: string) => `--disk-size ${size}`): Effect.Effect<void, LocalFailure> => {
  const histories = repositories.reduce((sum, { history }) => sum + history.bytes, 0)
  const sent = members.reduce((sum, { bytes }) => sum + Math.ceil(bytes / BLOCK) * BLOCK, histories)
  const wanted = Math.max(sent, members.length * BYTES_PER_INODE)
  if (wanted <= USABLE * diskMib * MIB) return Effect.void
  return new LocalFailure({
    problem: `what is sent does not fit into the VM's work disk: ${members.length} files, ${size(sent)} with history, on a disk of ${size(diskMib * MIB)}`,
    // A gigabyte to work in.
    fix: fix(`${Math.ceil(wanted / USABLE / GIB) + 1}G`)
  })
}
