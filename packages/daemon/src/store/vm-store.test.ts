import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { Digest } from "@banger/domain/ids.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { daemonOn, reserve } from "../testing.ts"
import { VmStore } from "./vm-store.ts"
import { Registry } from "../vms/registry.ts"

const names = Effect.map(Registry, (registry) => registry.cells().map(({ record }) => `${record.spec.name} ${record.spec.slot}`))

describe("store", () => {
  it.scoped("a database that is lost is filled again from the files beside it", () => Effect.gen(function*() {
    const state = yield* temporary
    const daemon = <A, E>(test: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof daemonOn>>>) =>
      Effect.scoped(Effect.provide(test, daemonOn(state, new Set())))
    yield* daemon(Effect.gen(function*() {
      const registry = yield* Registry
      yield* reserve("one")
      yield* registry.remove(yield* reserve("two"))
      yield* reserve("three")
    }))
    for (const file of fs.readdirSync(state).filter((name) => name.startsWith("banger.db"))) fs.rmSync(path.join(state, file))
    assert.deepStrictEqual(yield* daemon(names), ["one 2", "three 3"])
    assert.deepStrictEqual(yield* daemon(names), ["one 2", "three 3"])
  }))

  it.scoped("a file that is no record is left alone, and what it names stays", () => Effect.gen(function*() {
    const state = yield* temporary
    const stray = path.join(state, "vms", "00000000000000ff")
    fs.mkdirSync(stray, { recursive: true })
    const digest = "0123456789abcdef".repeat(4)
    fs.writeFileSync(path.join(stray, "vm.json"), `{"version":99,"origin":"${digest}"`)
    const unread = Effect.map(VmStore, (store) => [...store.unread])
    assert.deepStrictEqual(yield* Effect.scoped(Effect.provide(Effect.all([names, unread]), daemonOn(state, new Set()))), [[], [Digest.make(digest)]])
    assert.isTrue(fs.existsSync(path.join(stray, "vm.json")))
  }))
})
