import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type AgentRefused, putFiles, type Unpacked } from "@banger/capabilities/vsock/agent-client.ts"
import type { AgentUnreachable } from "@banger/capabilities/vsock/connect.ts"
import { LocalFailure, type NotAWorkTree } from "../errors.ts"
import { type GitFailed, gitLine } from "./git.ts"
import { shallowHistory } from "./history.ts"
import { list, listCommit, type Listing } from "./listing.ts"
import { tar } from "./tar.ts"
import { findWorkTree, type WorkTree } from "./work-tree.ts"

/** What would be sent: decided before anything is made. */
export interface Workspace extends WorkTree, Listing {
  readonly bytes: number
  /** The commit whose files are sent in place of those in the work tree. */
  readonly from: string | undefined
}

const commitOf = (top: string, ref: string) =>
  gitLine(top, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`]).pipe(
    Effect.mapError(() => new LocalFailure({ problem: `${top} has no commit ${ref}`, fix: `git -C ${top} log --all shows what it has` })))

/** `from`: a commit whose files are sent in place of those in the work tree. */
export const plan = (path: string, includeUntracked: boolean, from?: string): Effect.Effect<Workspace, NotAWorkTree | GitFailed | LocalFailure> =>
  Effect.gen(function*() {
    const tree = yield* findWorkTree(path)
    const commit = from === undefined ? undefined : yield* commitOf(tree.top, from)
    const listing = yield* commit === undefined ? list(tree.top, includeUntracked) : listCommit(tree.top, commit)
    return { ...tree, ...listing, from: commit, bytes: listing.members.reduce((sum, { bytes }) => sum + bytes, 0) }
  })

/** Sends one tar stream. When tar fails the connection breaks, and tar's words are the cause. */
const sendTar = (socket: string, target: string, directory: string, names: Iterable<Buffer>, recurse: boolean) =>
  Effect.scoped(Effect.gen(function*() {
    const stream = yield* tar(directory, names, recurse)
    let cause: Error | undefined
    stream.once("error", (error) => cause = error)
    return yield* putFiles(socket, target, stream).pipe(Effect.mapError((error) =>
      cause === undefined ? error : new LocalFailure({ problem: `cannot read the work tree: ${cause.message}`, fix: "try again when nothing changes it" })))
  }))

/** The shallow history is made while the VM boots, so it is asked for apart from the sending. */
export const history = (workspace: Workspace, branch: string | undefined): Effect.Effect<string, GitFailed, Scope.Scope> =>
  shallowHistory(workspace.top, workspace.sparse, branch, workspace.from)

export const send = (
  socket: string,
  workspace: Workspace,
  history: string
): Effect.Effect<Unpacked, AgentUnreachable | AgentRefused | LocalFailure> =>
  workspace.from !== undefined
    ? sendTar(socket, workspace.target, history, [Buffer.from(".")], true)
    : Effect.zipRight(
      sendTar(socket, workspace.target, history, [Buffer.from(".git")], true),
      sendTar(socket, workspace.target, workspace.top, workspace.members.map(({ path }) => path), false)
    )
