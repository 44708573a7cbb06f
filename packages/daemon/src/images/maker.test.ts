import * as fs from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as ImageStore from "@banger/capabilities/image-store/live.ts"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { ImageName } from "@banger/domain/ids.ts"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Catalog } from "../catalog.ts"
import { CatalogStore } from "../store/catalog-store.ts"
import * as Database from "../store/database.ts"
import { daemonOn } from "../testing.ts"
import { ImageMaker } from "./maker.ts"

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
