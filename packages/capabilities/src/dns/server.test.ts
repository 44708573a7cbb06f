import * as Dgram from "node:dgram"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { Dns, type DnsStatus } from "./contract.ts"
import { layer, udp } from "./server.ts"

describe("the name server's end", () => {
  it.scopedLive("what was asked before it is answered", () => Effect.gen(function*() {
    const asked = yield* Deferred.make<void>()
    const known = yield* Deferred.make<void>()
    const server = yield* Scope.make()
    const { at } = yield* udp({ address: "127.0.0.1", port: 0 }, (query) =>
      Effect.runPromise(Deferred.succeed(asked, undefined).pipe(Effect.zipRight(Deferred.await(known)), Effect.as(query)))).pipe(Scope.extend(server))
    const client = yield* Effect.acquireRelease(Effect.sync(() => Dgram.createSocket("udp4")), (socket) => Effect.sync(() => socket.close()))
    const answer = yield* Effect.fork(Effect.async<string>((resume) => void client.once("message", (reply) => resume(Effect.succeed(reply.toString())))))
    yield* Effect.yieldNow()
    client.send("who is it?", at.port, at.address)
    yield* Deferred.await(asked)
    const ended = yield* Effect.fork(Scope.close(server, Exit.void))
    yield* Effect.yieldNow()
    yield* Deferred.succeed(known, undefined)
    yield* Fiber.join(ended)
    assert.strictEqual(yield* Effect.timeout(Fiber.join(answer), "10 seconds"), "who is it?")
  }))
})

describe("a port that another program has", () => {
  it.scopedLive("keeps no daemon from its start, is said, and is taken once it is free", () => Effect.gen(function*() {
    const other = Dgram.createSocket("udp4")
    yield* Effect.async<void>((resume) => {
      other.bind(0, "127.0.0.1", () => resume(Effect.void))
    })
    const { port } = other.address()
    yield* Effect.gen(function*() {
      const { status } = yield* Dns
      const until = (so: (found: DnsStatus) => boolean) => Effect.yieldNow().pipe(Effect.zipRight(status), Effect.repeat({ until: so }), Effect.timeout("20 seconds"))
      const { failed } = yield* until((found) => found.failed.length > 0)
      assert.match(failed.join(), new RegExp(`127.0.0.1:${port}/udp: .*EADDRINUSE`))
      other.close()
      yield* until((found) => found.failed.length === 0 && found.bound.includes(`127.0.0.1:${port}/udp`))
    }).pipe(Effect.provide(layer(Effect.never, port)))
  }))
})
