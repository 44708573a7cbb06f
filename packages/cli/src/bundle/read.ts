import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type BundleContents, Unpacked } from "@banger/domain/bundle.ts"
import type { BadConfig } from "@banger/domain/config-file.ts"
import { BadSource } from "@banger/domain/errors.ts"
import type { StagingId } from "@banger/domain/ids.ts"
import { place } from "../host/staging.ts"
import { bangerBundle, type Told } from "./banger-bundle.ts"

/** A bundle that lies unpacked in staging, until the scope closes. */
export interface Opened {
  readonly contents: BundleContents
  /** One of its files, ready for the daemon to take. */
  readonly staged: (name: string) => Effect.Effect<StagingId, BadSource, Scope.Scope>
  readonly has: (name: string) => boolean
  /** Copies one of its files to where the user wants it, as a program. */
  readonly copy: (name: string, to: string) => Effect.Effect<void, BadSource>
}

/** Unpacks a bundle of the user's files, or of an address whose digest is known. `args` are banger-bundle's, `what` names it in errors. */
export const openBundle = (args: ReadonlyArray<string>, what: string, told: Told): Effect.Effect<Opened, BadConfig | BadSource, Scope.Scope> =>
  Effect.gen(function*() {
    const onDisk = <A>(act: () => Promise<A>) =>
      Effect.tryPromise({ try: act, catch: (error) => new BadSource({ path: what, problem: (error as Error).message, fix: "banger doctor" }) })
    const into = yield* place
    yield* onDisk(() => fs.mkdir(into.path))
    const { unpacked: { about, files } } = yield* bangerBundle(["unpack", "--into", into.path, ...args], Unpacked, what, told)
    const pathOf = (name: string) => {
      const at = files.indexOf(name)
      return at < 0 ? Effect.fail(new BadSource({ path: what, problem: `it has no ${name}`, fix: "write it again: banger bundle export" })) : Effect.succeed(`${into.path}/${at}`)
    }
    return {
      contents: about,
      has: (name) => files.includes(name),
      staged: (name) =>
        Effect.gen(function*() {
          const from = yield* pathOf(name)
          const own = yield* place
          yield* onDisk(() => fs.rename(from, own.path))
          return own.id
        }),
      copy: (name, to) =>
        Effect.flatMap(pathOf(name), (from) =>
          onDisk(async () => {
            await fs.copyFile(from, to, fs.constants.COPYFILE_EXCL)
            await fs.chmod(to, 0o755)
          }))
    }
  })
