import * as fs from "node:fs"
import * as path from "node:path"
import { Degraded } from "@banger/capabilities/degraded.ts"
import * as ImageStore from "@banger/capabilities/image-store/live.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Catalog } from "./catalog.ts"
import { doctor, ofDatabases } from "./doctor.ts"
import { CatalogStore } from "./store/catalog-store.ts"
import { damaged, layer } from "./store/database.ts"
import { daemonOn } from "./testing.ts"

/** What one check of the daemon's finds where the owner's file has such a text. */
const verdictOf = (state: string, check: string, config: string) => {
  const daemon = daemonOn(state, new Set())
  fs.writeFileSync(path.join(state, "config.toml"), config)
  return Effect.flatten(doctor).pipe(
    Effect.map((findings) => findings.find((found) => found.capability === "daemon" && found.check === check)?.verdict),
    Effect.provide(Catalog.layer),
    Effect.provide(Layer.merge(CatalogStore.layer, ImageStore.layer)),
    Effect.provide(layer(path.join(state, "catalog.db"))),
    Effect.provide(daemon)
  )
}

describe("doctor of the daemon", () => {
  it.scopedLive("shows work that goes on without a part of its purpose", () => Effect.gen(function*() {
    const state = yield* temporary
    const verdict = yield* verdictOf(state, "background work", "").pipe(
      Effect.provideService(Degraded, new Map([["ssh known_hosts", { problem: "no room", fix: "banger prune" }]]))
    )
    assert.strictEqual(verdict?._tag, "Warning")
    assert.match(JSON.stringify(verdict), /ssh known_hosts: no room.*banger prune/)
  }))

  it.scopedLive("warns while the owner wishes of the host what root does not go by, and says once that a file cannot be read", () => Effect.gen(function*() {
    const state = yield* temporary
    const of = (config: string) => Effect.all([verdictOf(state, "configuration", config), verdictOf(state, "host keys", config)])
    const [, wished] = yield* of("[network]\nlan = true\n")
    assert.match(JSON.stringify(wished), /Warning.*network\.lan: false -> true.*sudo banger system apply/)
    assert.deepStrictEqual((yield* of("tap_pool_size = 2\n[network]\nlan = false\n")).map((verdict) => verdict?._tag), ["Ready", "Ready"])
    assert.deepStrictEqual((yield* of("[network]\nlann = false\n")).map((verdict) => verdict?._tag), ["NotReady", "Ready"])
  }))

  it.scoped("names the databases that were set aside, until they are gone", () => Effect.gen(function*() {
    const state = yield* temporary
    const file = path.join(state, "banger.db")
    assert.strictEqual(ofDatabases(damaged(file))._tag, "Ready")
    for (const day of ["1", "2"]) fs.writeFileSync(`${file}.damaged-2026-01-0${day}`, "")
    const verdict = ofDatabases(damaged(file))
    assert.strictEqual(verdict._tag, "Warning")
    assert.match(JSON.stringify(verdict), /the old one is \S+\.damaged-2026-01-02".*rm \S+01-01 \S+01-02/)
  }))
})
