import { lstatSync } from "node:fs"
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
import { planPacking, type Ready } from "./packs.ts"
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
    const { members, present, submodules } = yield* list(snapshot, asked.includeUntracked)
    const history = yield* planHistory(repository, snapshot.env, asked, (name) => ownFile(repository.commonDir, name))
    const own: GuestRepository = { repository, history, index: yield* indexFor(snapshot, present), at: snapshot.at, files, gitDir }
    const parts = yield* Effect.forEach(asked.from === undefined ? submodules : [], (path) => submodule(repository, own, path, snapshot.index?.entries.find((entry) => entry.path.equals(path))?.id, asked))
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

/** The repositories as they are to be in the guest, and what of them is sent from where it lies. */
export interface Prepared {
  readonly directory: string
  readonly names: ReadonlyArray<string>
  readonly packs: ReadonlyArray<Ready & { readonly to: string }>
}

/** All that can fail for reasons of the repository's fails here, before a VM is made. */
export const prepare = ({ repositories, target }: Workspace): Effect.Effect<Prepared, GitFailed | LocalFailure, Scope.Scope> =>
  Effect.gen(function*() {
    const packed = yield* Effect.forEach(repositories, (guest) => Effect.map(planPacking(guest.repository, guest.history), (packing) => ({ guest, packing })))
    const directory = yield* temporary(packed.reduce((sum, { guest: { index }, packing: { bytes } }) => sum + bytes + (index?.length ?? 0), 0))
    yield* Effect.forEach(packed, ({ guest, packing }) => makeGuestRepository(guest, packing, directory, target), { discard: true }).pipe(
      withRoom("cannot put .git aside", 0, directory)
    )
    return {
      directory,
      names: [".git", ...repositories.filter(({ files }) => files !== "").map(({ files }) => `${files}/.git`)],
      packs: packed.flatMap(({ guest, packing }) => packing.ready.map((pack) => ({ ...pack, to: `${target}/${guest.gitDir}/objects/pack` })))
    }
  })

const sendTar = (socket: string, target: string, ...what: Parameters<typeof tar>) =>
  Effect.scoped(Effect.flatMap(tar(...what), (archive) =>
    sending(archive, (words) => new LocalFailure({ problem: `cannot read the work tree: ${words}`, fix: "try again when nothing changes it" }), (archive) => putFiles(socket, target, archive))))

const bytes = (names: ReadonlyArray<string>) => names.map((name) => Buffer.from(name))

/** Tar streams at a time: they write to different places. */
const STREAMS = 4

/** `told` gets the number of bytes of each piece that is on its way. */
export const send = (socket: string, { at, members, root, target }: Workspace, { directory, names, packs }: Prepared, told: (bytes: number) => void): Effect.Effect<void, AgentUnreachable | AgentRefused | LocalFailure> =>
  Effect.all([
    sendTar(socket, target, root, members.map(({ path }) => path), at, told),
    sendTar(socket, target, directory, bytes(names), "whole", told),
    ...packs.map((pack) => sendTar(socket, pack.to, pack.directory, bytes(pack.names), "whole", told))
  ], { concurrency: STREAMS, discard: true })
