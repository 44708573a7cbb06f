import * as fs from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as ImageStore from "@banger/capabilities/image-store/live.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { ImageName, KernelName } from "@banger/domain/ids.ts"
import { Image } from "@banger/domain/catalog.ts"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { CatalogStore } from "../store/catalog-store.ts"
import * as Database from "../store/database.ts"
import { daemonOn } from "../testing.ts"
import { EDITION } from "./convert.ts"
import { asWished, ImageMaker } from "./maker.ts"

const makerOn = (state: string) =>
  ImageMaker.layer.pipe(
    Layer.provideMerge(Catalog.layer),
    Layer.provide(Layer.merge(CatalogStore.layer, ImageStore.layer)),
    Layer.provide(Database.layer(path.join(state, "catalog.db"))),
    Layer.provideMerge(daemonOn(state, new Set()))
  )

/** A catalog's server that gives no answer. */
const silent = Effect.gen(function*() {
  const asked = yield* Deferred.make<void>()
  const server = yield* Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer(() => Effect.runSync(Deferred.succeed(asked, undefined)))
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
  )
  return { asked: Deferred.await(asked), url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/catalog.json` }
})

const name = ImageName.make("slow")

describe("an image that is pulled again", () => {
  /** An image as its record has it; `edition` is absent in the records of versions that had none. */
  const stored = (source: object, kernel: string | null = null) =>
    Schema.decodeUnknownSync(Image)({
      files: { name: "box", generation: 1, rootfs: "0".repeat(64), seed: null },
      kernel,
      rootfsBytes: 64 * 2 ** 20,
      createdAt: "2026-01-01T00:00:00.000Z",
      source: { reference: "oci://box", digest: "sha256:1", base: null, ...source },
      run: null,
      usedBy: []
    })
  const wished = asWished({ reference: "oci://box" })

  it("is up to date when this version would make the same", () => {
    assert.isTrue(wished(stored({ edition: EDITION })))
    assert.isTrue(asWished({ reference: "oci://box", sizeMib: 64, kernel: KernelName.make("own") })(stored({ edition: EDITION }, "own")))
  })

  it("is made anew when an older version made it, or it is not what is wished for", () => {
    assert.isFalse(wished(stored({})))
    assert.isFalse(wished(stored({ edition: EDITION - 1 })))
    assert.isFalse(wished(stored({ edition: EDITION, reference: "oci://other" })))
    assert.isFalse(asWished({ reference: "oci://box", sizeMib: 65 })(stored({ edition: EDITION })))
    assert.isFalse(asWished({ reference: "oci://box", kernel: KernelName.make("own") })(stored({ edition: EDITION })))
  })
})

describe("making an image", () => {
  it.live("is cancelled by its only watcher, and by none of several", () => Effect.scoped(Effect.gen(function*() {
    const state = yield* temporary
    const { asked, url } = yield* silent
    yield* Effect.provide(Effect.gen(function*() {
      fs.writeFileSync(path.join(state, "config.toml"), `tap_pool_size = 0\n[catalog]\nurls = ["${url}"]\n`)
      const maker = yield* ImageMaker
      assert.isFalse(yield* maker.cancel(name))
      const watch = Effect.flatMap(maker.get(name, false, undefined), (events) => Effect.fork(Effect.either(Stream.runDrain(events))))
      const first = yield* watch
      yield* asked
      const second = yield* watch
      // Both watch once nothing else is to be done.
      yield* Effect.repeat(Effect.yieldNow(), { times: 100 })
      assert.isFalse(yield* maker.cancel(name))
      yield* Fiber.interrupt(second)
      assert.isTrue(yield* maker.cancel(name))
      const ended = yield* Fiber.join(first)
      assert.deepInclude(ended, { _tag: "Left" })
      assert.match(ended._tag === "Left" ? ended.left.message : "", /could not make slow: it was cancelled/)
      assert.isFalse(yield* maker.cancel(name))
      // Nothing is being made any more.
      assert.strictEqual(yield* maker.quietly(Effect.succeed("quiet")), "quiet")
    }), makerOn(state))
  })), 20_000)
})
