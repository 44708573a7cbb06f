import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type Answer, MAX_QUERY, tcpServer } from "./tcp.ts"

const connected = (answer: Answer) =>
  Effect.gen(function*() {
    const { end, server } = tcpServer(answer)
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.async<void>((resume) => end(() => resume(Effect.void)))
    )
    const { port } = server.address() as Net.AddressInfo
    return yield* Effect.acquireRelease(
      Effect.async<Net.Socket>((resume) => {
        const socket = Net.createConnection(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
  })

/** Everything that the server says until it, or the wanted number of bytes, is at an end. */
const reading = (socket: Net.Socket, bytes: number) =>
  Effect.async<Buffer>((resume) => {
    let received = Buffer.alloc(0)
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, Buffer.from(chunk)])
      if (received.length >= bytes) resume(Effect.succeed(received))
    })
    socket.on("close", () => resume(Effect.succeed(received)))
  })

const message = (text: string) => Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), Buffer.from(text)])

describe("tcp", () => {
  it.scoped("queries sent ahead are answered in their order, one at a time", () => Effect.gen(function*() {
    const begun = yield* Deferred.make<void>()
    const held = yield* Deferred.make<void>()
    const asked: Array<string> = []
    const socket = yield* connected((query) => {
      asked.push(query.toString())
      return Effect.runPromise(Deferred.succeed(begun, undefined).pipe(Effect.zipRight(Deferred.await(held)), Effect.as(query)))
    })
    const answers = yield* Effect.fork(reading(socket, 10))
    const both = Buffer.concat([message("one"), message("two")])
    // Cut where no message ends.
    socket.write(both.subarray(0, 7))
    socket.write(both.subarray(7))
    yield* Deferred.await(begun)
    assert.deepStrictEqual(asked, ["one"])
    yield* Deferred.succeed(held, undefined)
    assert.deepStrictEqual(yield* answers, both)
  }))

  it.live("an end waits for no client", () => Effect.gen(function*() {
    const client = yield* Effect.scoped(connected((query) => Promise.resolve(query)).pipe(Effect.tap((socket) => Effect.sync(() => socket.on("error", () => {})))))
    assert.isTrue(client.destroyed)
  }))

  it.scoped("a query that announces more than any real one ends the connection", () => Effect.gen(function*() {
    const socket = yield* connected((query) => Promise.resolve(query))
    const length = Buffer.alloc(2)
    length.writeUInt16BE(MAX_QUERY + 1)
    socket.write(length)
    assert.strictEqual((yield* reading(socket, Infinity)).length, 0)
  }))

  it.scoped("one address has sixteen connections, and all have 256", () => Effect.gen(function*() {
    const first = yield* connected((query) => Promise.resolve(query))
    const open = () =>
      Effect.acquireRelease(
        Effect.async<Net.Socket>((resume) => {
          const socket = Net.createConnection(first.remotePort as number, "127.0.0.1", () => resume(Effect.succeed(socket)))
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )
    for (let others = 15; others > 0; others--) {
      const socket = yield* open()
      socket.write(message("x"))
      assert.strictEqual((yield* reading(socket, 3)).length, 3)
    }
    const more = yield* open()
    more.on("error", () => {})
    more.write(message("x"))
    assert.strictEqual((yield* reading(more, 3)).length, 0)
    const { server } = tcpServer((query) => Promise.resolve(query))
    assert.strictEqual(server.maxConnections, 256)
  }))
})
