import { chmodSync, rmSync } from "node:fs"
import * as Http from "node:http"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { printable } from "@banger/domain/printable.ts"
import { GuestFailed, GuestListener } from "./contract.ts"
import type { GuestDocument } from "./document.ts"

/** Bytes of a request's body that we read of a guest; `health` is a few hundred. */
const MAX_BODY = 64 << 10

const Failure = Schema.parseJson(Schema.Struct({ step: Schema.String, message: Schema.String }))

const body = (request: Http.IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Array<Buffer> = []
    let bytes = 0
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_BODY) return request.destroy(new Error("the guest sent too much"))
      chunks.push(chunk)
    })
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
    request.on("error", reject)
  })

interface Boot {
  readonly document: () => Promise<GuestDocument>
  /** Until it is: any process of the guest can reach us later, and the document holds the host key. */
  readonly booting: () => boolean
  readonly ready: () => void
  readonly failed: (error: GuestFailed) => void
}

const answer = (boot: Boot) => async (request: Http.IncomingMessage, response: Http.ServerResponse): Promise<void> => {
  const text = await body(request)
  if (!boot.booting()) return void response.writeHead(410).end()
  switch (`${request.method} ${request.url}`) {
    case "GET /v1/config":
      response.setHeader("content-type", "application/json").end(JSON.stringify(await boot.document()))
      return
    case "POST /v1/ready":
      response.writeHead(204).end()
      return boot.ready()
    case "POST /v1/failed": {
      response.writeHead(204).end()
      const failure = Schema.decodeUnknownOption(Failure)(text)
      const { message, step } = failure._tag === "Some" ? failure.value : { step: "guest program", message: "unreadable report" }
      return boot.failed(new GuestFailed({ step: printable(step), problem: printable(message) }))
    }
    default:
      response.writeHead(404).end()
  }
}

/** An HTTP server on the unix socket where Firecracker delivers the guest's connections. */
export const layer = Layer.succeed(GuestListener, {
  serve: (socket, document) =>
    Effect.gen(function*() {
      const ready = yield* Deferred.make<void, GuestFailed>()
      const runtime = yield* Effect.runtime<never>()
      const server = Http.createServer({ headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 8 << 10 })
      server.maxConnections = 16
      let booting = true
      const settle = (outcome: Effect.Effect<void, GuestFailed>) => {
        booting = false
        Deferred.unsafeDone(ready, outcome)
      }
      const handle = answer({
        document: () => Runtime.runPromise(runtime)(document),
        booting: () => booting,
        ready: () => settle(Effect.void),
        failed: settle
      })
      server.on("request", (request: Http.IncomingMessage, response: Http.ServerResponse) => {
        handle(request, response).catch(() => response.destroy())
      })
      yield* Effect.acquireRelease(
        Effect.async<void, GuestFailed>((resume) => {
          // Left by a daemon that was killed; the directory is the owner's, so nothing but ours can be lost.
          rmSync(socket, { force: true })
          // Also once it listens: with no descriptor left a guest cannot be let in, and asks again.
          server.on("error", (error) => resume(new GuestFailed({ step: "listen", problem: error.message })))
          server.listen({ path: socket }, () => {
            // Firecracker runs under the VM's uid and must be able to connect.
            chmodSync(socket, 0o666)
            resume(Effect.void)
          })
        }),
        () =>
          Effect.async<void>((resume) => {
            server.close(() => resume(Effect.void))
            server.closeAllConnections()
          })
      )
      return Deferred.await(ready)
    })
})
