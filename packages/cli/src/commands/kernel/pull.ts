import { basename } from "node:path"
import * as Options from "@effect/cli/Options"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { KernelName } from "@banger/domain/ids.ts"
import type { KnownFile } from "@banger/domain/recipe.ts"
import { proxyVariables } from "@banger/domain/session.ts"
import { bangerBundle, type Told } from "../../bundle/banger-bundle.ts"
import { offers } from "../../command-line/candidates.ts"
import { command } from "../../command-line/command.ts"
import { json, verbose } from "../../command-line/options.ts"
import { proxied } from "../../daemon/caller.ts"
import { Daemon, withDaemon } from "../../daemon/daemon.ts"
import { LAYERS } from "../../host/paths.ts"
import { KERNEL } from "../../output/catalog.ts"
import { live, wantsParts } from "../../output/progress.ts"
import { print, printJson } from "../../output/text.ts"
import { transfers } from "../../output/transfer.ts"
import { catalogName } from "../catalog-name.ts"
import { convert, importKernel } from "./kernel-files.ts"

const Fetched = Schema.Struct({ fetched: Schema.Struct({}) })

/** A package at a path of ours, checked by its digest; what was fetched is kept, and gone on with after an interruption. */
const fetched = ({ bytes, sha256, url }: KnownFile, directory: string, name: string, told: Told) =>
  Effect.as(bangerBundle(["fetch", "--out", `${directory}/${name}`, "--sha256", sha256, "--bytes", String(bytes), "--cache", LAYERS, url], Fetched, url, told), name)

export default command({
  path: "kernel pull",
  about: "Imports a kernel of the catalog by its name: fetches its packages, and checks their sha256.",
  args: catalogName(KernelName, offers("kernel")),
  flags: Options.all({ verbose, json }),
  json: KERNEL,
  examples: ["banger kernel pull debian-6.1", "banger vm run --kernel debian-6.1"],
  run: ({ args: name, flags }) =>
    withDaemon(Effect.scoped(Effect.gen(function*() {
      const session = yield* proxied
      const { packages, proxy } = yield* Effect.flatMap(Daemon, (daemon) => daemon.kernel.Packages({ name, session }))
      // For banger-bundle, which runs here: the configuration's where this environment has none.
      Object.assign(process.env, proxyVariables(proxy))
      const { begun, doing, end, phase, timed: withTime } = yield* live(`importing ${name}`, wantsParts(flags.verbose))
      const [done, moved, total] = [packages.map(() => 0), transfers(), packages.reduce((sum, { bytes }) => sum + bytes, 0)]
      const told = (at: number): Told => (bytes) => {
        done[at] = bytes
        const text = moved(done.reduce((sum, more) => sum + more, 0), total)
        doing(() => `fetching ${text()}`)
      }
      const timed = <A, E, R>(what: string, work: Effect.Effect<A, E, R>) =>
        Effect.map(Effect.timed(Effect.zipRight(Effect.sync(() => begun(what)), work)), ([took, result]) => {
          phase(what, Math.round(Duration.toMillis(took)))
          return result
        })
      const kernel = yield* importKernel(name, ({ out, source }) =>
        Effect.gen(function*() {
          const debs = yield* Effect.forEach(packages, (file, at) => timed(basename(file.url), fetched(file, source, `package-${at + 1}.deb`, told(at))), { concurrency: packages.length })
          return yield* timed("conversion", convert(["import-deb", "--out", out, ...debs], name, "its catalog names packages that hold no kernel for a VM: ask whoever keeps it", source))
        }))
      end()
      yield* flags.json ? printJson(KERNEL, kernel) : print(`${withTime(`${name}: imported, ${kernel.files.release}`, process.stdout)}\n`)
      return 0
    })))
})
