import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import { LocalFailure } from "../failure/errors.ts"

/** The share of the work disk that files may take: its file system takes the rest for journal, tables and root. */
const USABLE = 0.9
const MIB = 2 ** 20
const GIB = 2 ** 30

/** The bytes of a workspace: its files, and the history of each repository. */
interface Sizes {
  readonly bytes: number
  readonly repositories: ReadonlyArray<{ readonly history: { readonly bytes: number } }>
}

/** Refuses a workspace that is too large for the work disk, before a VM is made of it. */
export const mustFit = ({ bytes, repositories }: Sizes, diskMib: number): Effect.Effect<void, LocalFailure> => {
  const sent = repositories.reduce((sum, { history }) => sum + history.bytes, bytes)
  if (sent <= USABLE * diskMib * MIB) return Effect.void
  return new LocalFailure({
    problem: `the repository does not fit into the VM's work disk: ${size(sent)} of files and history, on a disk of ${size(diskMib * MIB)}`,
    // A gigabyte to work in.
    fix: `--disk-size ${Math.ceil(sent / USABLE / GIB) + 1}G`
  })
}
