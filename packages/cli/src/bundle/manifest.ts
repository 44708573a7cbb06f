import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { textAt } from "@banger/capabilities/download.ts"
import type { UserConfig } from "@banger/domain/config.ts"
import { BadSource } from "@banger/domain/errors.ts"
import { Digest } from "@banger/domain/ids.ts"
import { heedProxy } from "../daemon/caller.ts"
import { LAYERS } from "../host/paths.ts"

/** What `bundle export --manifest` wrote. An address is relative to the manifest's own. */
const Manifest = Schema.Struct({ url: Schema.String, sha256: Digest, bytes: Schema.Number })

/** Bytes. */
const MAX_MANIFEST = 64 << 10

/** banger-bundle's arguments for a bundle, or for what a manifest says of one. */
export const bundleAt = (source: string, config: UserConfig): Effect.Effect<ReadonlyArray<string>, BadSource> =>
  Effect.gen(function*() {
    if (!source.endsWith(".json")) return [source]
    const proxy = yield* heedProxy(config)
    const bad = (error: unknown) =>
      new BadSource({ path: source, problem: (error as Error).message, fix: "give a bundle, or the .json that banger bundle export --manifest wrote" })
    const base = yield* Effect.try({ try: () => /^https?:/.test(source) ? new URL(source) : pathToFileURL(resolve(source)), catch: bad })
    const text = yield* Effect.mapError(textAt(base, proxy, MAX_MANIFEST), bad)
    const { bytes, sha256, url } = yield* Effect.mapError(Schema.decode(Schema.parseJson(Manifest))(text), bad)
    const { href } = yield* Effect.try({ try: () => new URL(url, base), catch: bad })
    return ["--sha256", sha256, "--bytes", String(bytes), "--cache", LAYERS, href]
  })
