import * as net from "node:net"
import type { Duplex } from "node:stream"
import * as RpcClient from "@effect/rpc/RpcClient"
import { RpcClientError } from "@effect/rpc/RpcClientError"
import type { FromClientEncoded, FromServerEncoded } from "@effect/rpc/RpcMessage"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import { daemonSocket } from "../host/paths.ts"

/** Opens a stream to the daemon; errors come as the stream's. The build's warm-up puts a daemon in memory in its place. */
export class Connect extends Context.Reference<Connect>()("@banger/cli/Connect", {
  defaultValue: (): () => Duplex => () => net.createConnection({ path: daemonSocket() })
}) {}

/** Milliseconds between two pings. */
const BEAT = 10_000
/** Beats without an answer after which a daemon that has answered before is given up. */
const PATIENCE = 2
/** The same of one that has not: systemd accepts connections for a daemon that starts, also for one that fails at each start. */
const PATIENCE_AT_START = 6

interface Connection {
  /** Done with the daemon's first answer: a request that was sent before would be carried out although its command has given up. */
  readonly answered: Deferred.Deferred<void, RpcClientError>
  readonly send: (message: FromClientEncoded | { readonly _tag: "Ping" }) => void
  readonly close: () => void
}

const open = (stream: Duplex, receive: (messages: ReadonlyArray<FromServerEncoded>) => void, onLost: (error: RpcClientError) => void): Connection => {
  const answered = Deferred.unsafeMake<void, RpcClientError>(Effect.runSync(Effect.fiberId))
  const parser = RpcSerialization.ndjson.unsafeMake()
  let patience = PATIENCE_AT_START
  let silent = 0
  const send: Connection["send"] = (message) => void stream.write(parser.encode(message) ?? "")
  const beat = setInterval(() => {
    if (++silent >= patience) return lost("no answer")
    send({ _tag: "Ping" })
  }, BEAT)
  let over = false
  const close = () => {
    over = true
    clearInterval(beat)
    // What is still to be sent, an interruption, leaves first.
    stream.end(() => stream.destroy())
  }
  const lost = (cause: unknown) => {
    if (over) return
    close()
    stream.destroy()
    const error = new RpcClientError({ reason: "Protocol", message: "the connection is lost", cause })
    Deferred.unsafeDone(answered, Exit.fail(error))
    onLost(error)
  }
  stream.on("data", (bytes: Buffer) => {
    silent = 0
    patience = PATIENCE
    Deferred.unsafeDone(answered, Exit.void)
    try {
      receive(parser.decode(bytes) as ReadonlyArray<FromServerEncoded>)
    } catch (error) {
      lost(error)
    }
  })
  stream.on("error", lost)
  stream.on("close", () => lost("closed"))
  send({ _tag: "Ping" })
  return { answered, send, close }
}

/**
 * The RPC client's side of the daemon's socket. Opened with the first request, and again with the next one after it was lost,
 * which fails whatever waits for an answer. Lighter than the library's own client protocol, whose fibers take a third of a `vm list`.
 */
export const layer = Layer.scoped(RpcClient.Protocol, RpcClient.Protocol.make((respond) =>
  Effect.gen(function*() {
    const connect = yield* Connect
    const run = Runtime.runFork(yield* Effect.runtime<never>())
    let current: Connection | undefined
    yield* Effect.addFinalizer(() => Effect.sync(() => current?.close()))
    const opened = () => {
      const stream = connect()
      const receive = (messages: ReadonlyArray<FromServerEncoded>) => {
        const taken = run(Effect.forEach(messages, respond, { discard: true }))
        // One after the other, as the daemon sent them.
        if (taken.unsafePoll() !== null) return
        stream.pause()
        taken.addObserver(() => void stream.resume())
      }
      return open(stream, receive, (error) => {
        current = undefined
        run(respond({ _tag: "ClientProtocolError", error }))
      })
    }
    return {
      send: (message) =>
        Effect.suspend(() => {
          if (message._tag !== "Request" && current === undefined) return Effect.void
          const connection = current ??= opened()
          // The client sends without a break; what waits for a daemon to start ends by a signal all the same.
          return Effect.zipRight(Effect.interruptible(Deferred.await(connection.answered)), Effect.sync(() => connection.send(message)))
        }),
      supportsAck: true,
      supportsTransferables: false
    }
  })))
