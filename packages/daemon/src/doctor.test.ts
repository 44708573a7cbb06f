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

describe("doctor of the daemon", () => {
  it.scopedLive("shows work that goes on without a part of its purpose", () => Effect.gen(function*() {
    const state = yield* temporary
    const findings = yield* Effect.flatten(doctor).pipe(
      Effect.provide(Catalog.layer),
      Effect.provide(Layer.merge(CatalogStore.layer, ImageStore.layer)),
      Effect.provide(layer(path.join(state, "catalog.db"))),
      Effect.provide(daemonOn(state, new Set())),
      Effect.provideService(Degraded, new Map([["ssh known_hosts", { problem: "no room", fix: "banger prune" }]]))
    )
    const verdict = findings.find(({ capability, check }) => capability === "daemon" && check === "background work")?.verdict
    assert.strictEqual(verdict?._tag, "Warning")
    assert.match(JSON.stringify(verdict), /ssh known_hosts: no room.*banger prune/)
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
