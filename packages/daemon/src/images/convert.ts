import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import { staged } from "@banger/capabilities/paths.ts"
import { RunConfig } from "@banger/domain/run-config.ts"
import { BadSource, type CatalogError, type StepFailed } from "@banger/domain/errors.ts"
import { type ImageName, type KernelName, type StagingId, stagingId } from "@banger/domain/ids.ts"
import type { ImageProgress } from "@banger/domain/progress.ts"
import { Logins, type Session } from "@banger/domain/session.ts"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { makeReserve, type ProgressLine, runProgram } from "./program.ts"

export type Emit = (event: ImageProgress) => Effect.Effect<void>

/** What is made of which container image. */
export interface Conversion {
  readonly name: ImageName
  readonly kernel?: KernelName | undefined
  readonly sizeMib?: number | undefined
  /** As the user calls it, in messages and in the image's record. */
  readonly reference: string
  /** banger-oci's command and its arguments, but for where to write. */
  readonly args: readonly [command: string, ...ReadonlyArray<string>]
  /** A digest that is not wanted again: the image that is here has it. */
  readonly unless?: string | undefined
  readonly session: Session
}

/** Logins as banger-oci reads them from its stdin. */
const encodeLogins = Schema.encodeSync(Schema.parseJson(Schema.Struct({ logins: Logins })))

/** Changes when the same request would give another image: a new prelude, say; 2: what a container image has in /root is there. */
export const EDITION = 2

/** The last part of making any image. */
export const STORED = "image store"

const STEPS = { read: "archive read", fetch: "fetched and unpacked", write: "file system written" } as const

/** Never fails: what cannot be removed now goes when the daemon starts again. */
const unstage = (id: StagingId) =>
  Effect.ignoreLogged(file(staged(id), () =>
    Promise.all([staged(id), `${staged(id)}.partial`].map((path) => fs.rm(path, { recursive: true, force: true })))))

/** A place of the daemon's in the staging directory; what is left there goes with the scope. */
export const place = Effect.acquireRelease(Effect.sync(() => stagingId("daemon", randomBytes(8).toString("hex"))), unstage)

/** Follows a program to its result, telling its phases; every phase but the last ends with the next. */
export const follow = <A extends object>(lines: Stream.Stream<A | ProgressLine, BadSource | StepFailed>, source: string, emit: Emit) =>
  Effect.gen(function*() {
    let phase: keyof typeof STEPS | undefined
    let since = performance.now()
    const ended = (phase: keyof typeof STEPS) =>
      Effect.suspend(() => {
        const [began, now] = [since, performance.now()]
        since = now
        return emit({ _tag: "Step", step: STEPS[phase], ms: now - began })
      })
    let result: A | undefined
    yield* Stream.runForEach(lines, (line) =>
      Effect.gen(function*() {
        if (!("progress" in line)) return void (result = line)
        if (phase !== undefined && line.progress.phase !== phase) yield* ended(phase)
        phase = line.progress.phase
        yield* emit({ _tag: "Phase", ...line.progress })
      }))
    if (phase !== undefined) yield* ended(phase)
    if (result === undefined) return yield* new BadSource({ path: source, problem: "it came to no result", fix: "journalctl -u bangerd" })
    return result
  })

/** What banger-oci ends with (native/cmd/banger-oci). */
const Result = Schema.Union(
  Schema.Struct({ result: Schema.Struct({ digest: Schema.String, bytes: Schema.Number, files: Schema.Number, inRoot: Schema.Number, config: RunConfig }) }),
  Schema.Struct({ unchanged: Schema.String })
)

/** File systems in staging, as a container image has them. */
export interface Converted {
  readonly rootfs: StagingId
  /** What the image has in /root, where it has anything there. */
  readonly workSeed: StagingId | undefined
  readonly digest: string
  readonly run: RunConfig
}

/** Turns a container image into file systems in staging, with banger-oci; what is left there goes with the scope. */
export const makeConvert = Effect.map(Effect.all([Catalog, makeReserve]), ([catalog, reserve]) =>
  (conversion: Conversion, emit: Emit): Effect.Effect<Converted | "unchanged", CatalogError, Scope.Scope> =>
    Effect.gen(function*() {
      const { args: [command, ...args], kernel, reference, session: { logins, proxy }, sizeMib, unless } = conversion
      // Asked before anything is fetched for it.
      if (kernel !== undefined) yield* catalog.kernel(kernel)
      const [rootfs, workSeed] = [yield* place, yield* place]
      const all = [
        command, "--logins", "--out", staged(rootfs), "--seed", staged(workSeed), ...yield* reserve,
        ...(sizeMib === undefined ? [] : ["--size", String(sizeMib * 2 ** 20)]),
        ...(unless === undefined ? [] : ["--unless", unless]),
        ...args
      ]
      const result = yield* follow(runProgram("banger-oci", Result, all, reference, { proxy, line: encodeLogins({ logins }) }), reference, emit)
      if (!("result" in result)) return "unchanged"
      const { config, digest, inRoot } = result.result
      return { rootfs, workSeed: inRoot > 0 ? workSeed : undefined, digest, run: config }
    }))
