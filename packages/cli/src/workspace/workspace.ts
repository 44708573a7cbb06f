import { lstatSync } from "node:fs"
import type { Readable } from "node:stream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type AgentRefused, putFiles } from "@banger/capabilities/vsock/agent-client.ts"
import type { AgentUnreachable } from "@banger/capabilities/vsock/connect.ts"
import { LocalFailure, type NotAWorkTree } from "../failure/errors.ts"
import { withRoom } from "../host/staging.ts"
import { type GitFailed, gitLine } from "./git.ts"
import { type GuestRepository, makeGuestRepository, ownFile, submoduleNames } from "./guest-repository.ts"
import { planHistory, type Wanted } from "./history.ts"
import { join, list, type Member } from "./listing.ts"
import { planPacking } from "./packs.ts"
import { belongsTo, openRepository, type Repository } from "./repository.ts"
import { checkedOut, indexFor, snapshotOf, youngest } from "./snapshot.ts"
import { sending, tar } from "./tar.ts"
import { temporary } from "./temporary.ts"
import { findWorkTree, type WorkTree } from "./work-tree.ts"

/** What would be sent: decided before anything is made. */
export interface Workspace extends WorkTree {
  readonly members: ReadonlyArray<Member>
  /** Where the members are. */
  readonly root: string
  readonly bytes: number
  /** The repository, then its submodules. */
  readonly repositories: ReadonlyArray<GuestRepository>
  /** The time that the youngest of its files have in the guest. Seconds. */
  readonly at: number
}

export interface Asked extends Omit<Wanted, "besides"> {
  readonly includeUntracked: boolean
}

/** Repositories looked at, and archives sent, at a time. */
const AT_ONCE = 4

type Failure = NotAWorkTree | GitFailed | LocalFailure

/** A repository's part of the workspace. */
interface Part {
  readonly root: string
  readonly at: number
  readonly members: ReadonlyArray<Member>
  readonly repositories: ReadonlyArray<GuestRepository>
}

const partOf = (
  repository: Repository,
  { files, gitDir }: Pick<GuestRepository, "files" | "gitDir">,
  asked: Asked & Wanted
): Effect.Effect<Part, GitFailed | LocalFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const snapshot = yield* asked.from === undefined ? snapshotOf(repository) : checkedOut(repository, asked.from)
    const { members, present, submodules, untracked } = yield* list(snapshot, asked.includeUntracked)
    const history = yield* planHistory(repository, snapshot.env, asked, (name) => ownFile(repository.commonDir, name))
    const own: GuestRepository = { repository, history, index: yield* indexFor(snapshot, present), at: snapshot.at, work: { root: snapshot.root, env: snapshot.env, members, untracked }, files, gitDir }
    const parts = yield* Effect.forEach(asked.from === undefined ? submodules : [], (path) => submodule(repository, own, path, snapshot.index?.entries.find((entry) => entry.path.equals(path))?.id, asked), { concurrency: AT_ONCE })
    return {
      root: snapshot.root,
      at: youngest(snapshot.at),
      members: [...members, ...parts.flatMap((part) => part.members)],
      repositories: [own, ...parts.flatMap((part) => part.repositories)]
    }
  })

const NOTHING = { members: [], repositories: [] }

/** A submodule that is checked out, as a repository of its own. */
const submodule = (outer: Repository, around: GuestRepository, path: Buffer, commit: string | undefined, { includeUntracked, mode }: Asked) =>
  Effect.gen(function*() {
    const name = path.toString("utf8")
    const top = `${outer.top}/${name}`
    // Without a .git of its own it is not checked out, and git would answer for the repository around it.
    if (!Buffer.from(name).equals(path) || lstatSync(`${top}/.git`, { throwIfNoEntry: false }) === undefined) return NOTHING
    const repository = yield* openRepository(top)
    if (!belongsTo(outer, repository)) {
      return yield* new LocalFailure({
        problem: `the submodule ${top} keeps its repository elsewhere, in ${repository.commonDir}`,
        fix: `git -C ${outer.top} submodule absorbgitdirs, if it is yours; banger vm run ${top} sends it alone`
      })
    }
    const files = around.files === "" ? name : `${around.files}/${name}`
    const gitDir = `${around.gitDir}/modules/${(yield* submoduleNames(outer.top)).get(name) ?? name}`
    const { members, repositories } = yield* partOf(repository, { files, gitDir }, { includeUntracked, mode, besides: commit })
    return { members: members.map((member): Member => ({ ...member, path: join(path, member.path) })), repositories }
  })

const commitOf = (top: string, ref: string) =>
  gitLine(top, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]).pipe(
    Effect.mapError(() => new LocalFailure({ problem: `${top} has no commit ${ref}`, fix: `git -C ${top} log --all shows what it has` })))

export const plan = (path: string, asked: Asked): Effect.Effect<Workspace, Failure, Scope.Scope> =>
  Effect.gen(function*() {
    const tree = yield* findWorkTree(path)
    const from = asked.from === undefined ? undefined : yield* commitOf(tree.top, asked.from)
    const part = yield* partOf(yield* openRepository(tree.top), { files: "", gitDir: ".git" }, { ...asked, from })
    return { ...tree, ...part, bytes: part.members.reduce((sum, { bytes }) => sum + bytes, 0) }
  })

/** What is sent, an archive for each place in the guest that it goes to. */
export interface Sending {
  readonly to: string
  readonly read: (told: (bytes: number) => void) => Readable
}

/** The workspace, ready to be sent. */
export interface Prepared {
  /** The repositories as they are to be in the guest, but for packs that are sent from where they lie. */
  readonly directory: string
  readonly archives: ReadonlyArray<Sending>
}

const archive = (to: string, directory: string, which: "whole" | number, names: ReadonlyArray<Buffer>) =>
  Effect.map(tar(directory, which), (begin): Sending => ({ to, read: (told) => begin(names, told) }))

const bytes = (names: ReadonlyArray<string>) => names.map((name) => Buffer.from(name))

/** All that can fail for reasons of the repository's fails here, before a VM is made. */
export const prepare = ({ at, members, repositories, root, target }: Workspace): Effect.Effect<Prepared, GitFailed | LocalFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const packed = yield* Effect.forEach(repositories, (guest) => Effect.map(planPacking(guest.repository, guest.history), (packing) => ({ guest, packing })), { concurrency: AT_ONCE })
    const directory = yield* temporary(packed.reduce((sum, { guest: { index }, packing: { bytes } }) => sum + bytes + (index?.length ?? 0), 0))
    yield* Effect.forEach(packed, ({ guest, packing }) => makeGuestRepository(guest, packing, directory, target), { concurrency: AT_ONCE, discard: true }).pipe(
      withRoom("cannot put .git aside", 0, directory)
    )
    const packs = packed.flatMap(({ guest, packing }) => packing.ready.map((pack) => ({ ...pack, to: `${target}/${guest.gitDir}/objects/pack` })))
    const archives = yield* Effect.all([
      archive(target, root, at, members.map(({ path }) => path)),
      archive(target, directory, "whole", bytes([".git", ...repositories.filter(({ files }) => files !== "").map(({ files }) => `${files}/.git`)])),
      ...packs.map((pack) => archive(pack.to, pack.directory, "whole", bytes(pack.names)))
    ])
    return { directory, archives }
  })

/** `told` gets the number of bytes of each piece that is on its way. */
export const send = (socket: string, archives: ReadonlyArray<Sending>, told: (bytes: number) => void): Effect.Effect<void, AgentUnreachable | AgentRefused | LocalFailure> =>
  Effect.forEach(archives, ({ read, to }) =>
    sending(() => read(told), (words) => new LocalFailure({ problem: `cannot read what is sent: ${words}`, fix: "try again when nothing changes it" }), (stream) => putFiles(socket, to, stream)),
  { concurrency: AT_ONCE, discard: true })
