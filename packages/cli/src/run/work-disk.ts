import * as Effect from "effect/Effect"
import { size } from "@banger/domain/size.ts"
import { LocalFailure } from "../failure/errors.ts"
import type { Workspace } from "../workspace/workspace.ts"

/** What its file system leaves of the work disk for files: the rest is its journal, its tables and what it keeps for root. */
const USABLE = 0.9
const MIB = 2 ** 20
const GIB = 2 ** 30

/** Refuses a workspace that is too large for the work disk, before a VM is made of it. */
export const mustFit = ({ bytes, repositories }: Pick<Workspace, "bytes" | "repositories">, diskMib: number): Effect.Effect<void, LocalFailure> => {
  const sent = repositories.reduce((sum, { history }) => sum + history.bytes, bytes)
  if (sent <= USABLE * diskMib * MIB) return Effect.void
  return new LocalFailure({
    problem: `the repository does not fit into the VM's work disk: ${size(sent)} of files and history, on a disk of ${size(diskMib * MIB)}`,
    // A gigabyte to work in.
    fix: `--disk-size ${Math.ceil(sent / USABLE / GIB) + 1}G`
  })
}
