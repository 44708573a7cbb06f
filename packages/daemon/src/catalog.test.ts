import * as fs from "node:fs"
import * as path from "node:path"
import { DatabaseSync } from "node:sqlite"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Image } from "@banger/domain/catalog.ts"
import { ImageName, KernelName, stagingId } from "@banger/domain/ids.ts"
import { KernelRelease } from "@banger/domain/vm.ts"
import * as ImageStore from "@banger/capabilities/image-store/live.ts"
import type { Failing } from "@banger/capabilities/memory-host.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { Catalog } from "./catalog.ts"
import { CatalogStore } from "./store/catalog-store.ts"
import * as Database from "./store/database.ts"
import { daemonOn } from "./testing.ts"

const catalogOn = (state: string, objects: Set<string>, failing?: Failing) =>
  Catalog.layer.pipe(
    Layer.provide(Layer.merge(CatalogStore.layer, ImageStore.layer)),
    Layer.provide(Database.layer(path.join(state, "catalog.db"))),
    Layer.provideMerge(daemonOn(state, objects, failing))
  )

const staged = (number: number) => stagingId("client", String(number).repeat(16))

describe("catalog", () => {
  it.scoped("collecting leaves what a record names that cannot be read", () => Effect.gen(function*() {
    const state = yield* temporary
    const [named, unused] = ["a".repeat(64), "b".repeat(64)]
    fs.mkdirSync(path.join(state, "vms", "00000000000000ff"), { recursive: true })
    fs.writeFileSync(path.join(state, "vms", "00000000000000ff", "vm.json"), `{"version":99,"origin":"${named}"`)
    const objects = new Set([`estate stored ${named}`, `estate stored ${unused}`])
    yield* Effect.provide(Effect.flatMap(Catalog, ({ collect }) => collect), catalogOn(state, objects))
    assert.deepStrictEqual([...objects], [`estate stored ${named}`])
  }))

  it.scoped("a record of another version hides no other image, keeps its files, and goes when its name is deleted", () => Effect.gen(function*() {
    const state = yield* temporary
    const objects = new Set<string>()
    const name = ImageName.make("old")
    const daemon = <A, E>(test: Effect.Effect<A, E, Catalog>) => Effect.provide(test, catalogOn(state, objects))
    yield* daemon(Effect.flatMap(Catalog, (catalog) => Effect.zipRight(catalog.register({ name, rootfs: staged(1) }), catalog.register({ name: ImageName.make("fine"), rootfs: staged(2) }))))
    const db = new DatabaseSync(path.join(state, "catalog.db"))
    db.prepare("UPDATE images SET record = replace(record, '\"rootfsBytes\"', '\"rootBytes\"') WHERE name = 'old'").run()
    db.close()
    const names = (images: ReadonlyArray<Image>) => images.map(({ files }) => `${files.name} ${files.generation}`)
    yield* daemon(Effect.gen(function*() {
      const catalog = yield* Catalog
      yield* catalog.collect
      assert.deepStrictEqual(names(yield* catalog.images), ["fine 1"])
      assert.deepStrictEqual(yield* catalog.unreadable, ["image old: rootfsBytes: is missing"])
      assert.lengthOf([...objects], 2)
      yield* catalog.register({ name, rootfs: staged(3) })
      assert.deepStrictEqual(names(yield* catalog.images), ["fine 1", "old 2"])
      yield* catalog.deleteImage(name)
      assert.deepStrictEqual([names(yield* catalog.images), yield* catalog.unreadable, objects.size], [["fine 1"], [], 1])
    }))
  }))

  it.scoped("a kernel is imported also when a file that nothing uses cannot be removed", () => Effect.gen(function*() {
    const unused = `estate stored ${"b".repeat(64)}`
    const objects = new Set([unused])
    const kernels = yield* Effect.provide(Effect.gen(function*() {
      const catalog = yield* Catalog
      yield* catalog.importKernel({ name: KernelName.make("new"), release: KernelRelease.make("6.1.0"), vmlinux: staged(1), initrd: staged(2), modules: staged(3) })
      return yield* catalog.kernels
    }), catalogOn(yield* temporary, objects, { object: unused, when: "removed" }))
    assert.deepStrictEqual(kernels.map(({ files }) => files.name), ["new"])
    assert.isTrue(objects.has(unused))
  }))

  it.scoped("files of an image that is being made stay until it is, its work seed too", () => Effect.gen(function*() {
    const objects = new Set<string>()
    const kept = yield* Effect.provide(Effect.gen(function*() {
      const catalog = yield* Catalog
      return yield* Effect.scoped(Effect.gen(function*() {
        const base = yield* catalog.borrow({ rootfs: staged(1), workSeed: staged(2) }, { name: ImageName.make("base"), kernel: null, run: null })
        yield* catalog.collect
        assert.deepStrictEqual([...objects].toSorted(), [base.files.rootfs, base.files.seed].map((digest) => `estate stored ${digest}`).toSorted())
        return objects.size
      }))
    }), catalogOn(yield* temporary, objects))
    assert.deepStrictEqual([kept, objects.size], [2, 0])
  }))
})
