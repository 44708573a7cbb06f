import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { PassThrough } from "node:stream"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { size } from "@banger/domain/size.ts"
import { LocalFailure } from "../failure/errors.ts"
import { withRoom } from "../host/staging.ts"
import { borrowing, git, type GitFailed } from "../workspace/git.ts"
import type { Repository } from "../workspace/repository.ts"
import { type GuestPlace, inGuest, LOOK, PACK } from "./in-guest.ts"

/** What a guest's repository has. Nothing of it is known to be true. */
export interface Offered {
  readonly head: string
  /** The work tree, when it was asked for and is another than was sent. */
  readonly tree: string | undefined
  /** Commits that came from here, as the guest says. */
  readonly common: ReadonlyArray<string>
}

/** Bytes of the answer: five lines. */
const MAX_ANSWER = 1_024

const idOf = (format: Repository["format"]) => Schema.String.pipe(Schema.pattern(format === "sha256" ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/))

const senseless = ({ vm }: GuestPlace) => new LocalFailure({ problem: `what ${vm.name} says of its repository makes no sense`, fix: `banger vm exec ${vm.name} -- git -C DIR fsck` })

export const look = (place: GuestPlace, { format }: Repository, workTree: boolean) =>
  Effect.gen(function*() {
    let said = ""
    yield* inGuest(place, LOOK, [workTree ? "work tree" : ""], (bytes) => {
      said += bytes.toString("latin1")
      return said.length > MAX_ANSWER ? senseless(place) : Effect.void
    })
    const [head = "", tree = "", ...common] = said.trimEnd().split("\n")
    const ids = Schema.decodeUnknown(Schema.Array(idOf(format)))
    yield* Effect.mapError(ids([head, ...(tree === "" ? [] : [tree]), ...common]), () => senseless(place))
    return { head, tree: tree === "" ? undefined : tree, common } satisfies Offered
  })

/** Those of the commits that are here. */
export const known = ({ top }: Repository, ids: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.map(git(top, ["cat-file", "--batch-check=%(objectname) %(objecttype)"], { stdin: Buffer.from(ids.map((id) => `${id}\n`).join("")) }), (said) =>
    said.toString("latin1").split("\n").filter((line) => line.endsWith(" commit")).map((line) => line.slice(0, line.indexOf(" "))))

/** A directory beside the repository's objects: what git's own `prune` removes should it be left behind. */
const quarantine = ({ commonDir }: Repository) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const directory = await mkdtemp(`${commonDir}/objects/tmp_objdir-banger-`)
        await mkdir(`${directory}/pack`)
        return directory
      },
      catch: (error) => new LocalFailure({ problem: `cannot write to ${commonDir}: ${(error as Error).message}`, fix: `ls -ld ${commonDir}/objects` })
    }),
    (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }).catch(() => {}))
  )

/** An index tells git that a pack is there, so it comes last. */
const ORDER = [".pack", ".rev", ".idx"]

const settle = (from: string, { commonDir }: Repository) =>
  Effect.tryPromise({
    try: async () => {
      await mkdir(`${commonDir}/objects/pack`, { recursive: true })
      const names = await readdir(`${from}/pack`)
      for (const end of ORDER) for (const name of names.filter((name) => name.endsWith(end))) await rename(`${from}/pack/${name}`, `${commonDir}/objects/pack/${name}`)
    },
    catch: (error) => new LocalFailure({ problem: `cannot write to ${commonDir}/objects: ${(error as Error).message}`, fix: `ls -ld ${commonDir}/objects/pack` })
  })

/** git's own words for what a stranger sends, in ours. */
const refused = ({ vm }: GuestPlace, limit: number) => (error: GitFailed) =>
  new LocalFailure(/exceeds maximum allowed size|pack exceeds/.test(error.problem)
    ? { problem: `${vm.name} sends more than ${size(limit)}`, fix: "--max-size 4G takes more" }
    : { problem: `git refuses what ${vm.name} sends: ${error.problem}`, fix: "nothing of it was kept" })

/**
 * Takes the objects over that the guest offers and are not here. Each is checked by git as those of any stranger, in a directory of
 * its own, and taken over only when nothing is missing that they refer to. Nothing else of the repository changes.
 */
export const receive = (place: GuestPlace, repository: Repository, wanted: ReadonlyArray<string>, common: ReadonlyArray<string>, limit: number) =>
  Effect.scoped(Effect.gen(function*() {
    const { commonDir, partial, top } = repository
    const directory = yield* quarantine(repository)
    const env = borrowing(directory, `${commonDir}/objects`)
    const pack = new PassThrough()
    // Once git has read the pack to its end it takes no more.
    const whole = yield* Deferred.make<void>()
    const sending = inGuest(place, PACK, [...wanted, ...common.map((id) => `^${id}`)], (bytes) =>
      Effect.flatMap(Deferred.isDone(whole), (done) =>
        done ? senseless(place) : Effect.raceFirst(Effect.async<void>((resume) => void pack.write(bytes, () => resume(Effect.void))), Deferred.await(whole)))).pipe(Effect.tap(() => Effect.sync(() => pack.end())))
    const taking = git(top, ["index-pack", "--stdin", "--fix-thin", "--strict", `--max-input-size=${Math.max(1, limit)}`], { env, stdin: pack }).pipe(Effect.tap(() => Deferred.succeed(whole, undefined)))
    yield* Effect.all([sending, taking], { concurrency: 2, discard: true }).pipe(
      Effect.catchTag("GitFailed", refused(place, limit)),
      withRoom(`cannot take over what ${place.vm.name} sends`, 0, directory)
    )
    const complete = git(top, ["rev-list", "--objects", "--quiet", ...(partial ? ["--exclude-promisor-objects"] : []), "--stdin", "--not", "--all"], { env, stdin: Buffer.from(wanted.map((id) => `${id}\n`).join("")) })
    yield* Effect.mapError(complete, refused(place, limit))
    yield* settle(directory, repository)
  }))
