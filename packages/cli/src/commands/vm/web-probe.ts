import * as Http from "node:http"
import * as Https from "node:https"
import * as Effect from "effect/Effect"

/** How long a server may take to begin an answer. */
const PATIENCE = "1500 millis"
/** Bytes of headers that are read: a guest's are a stranger's. */
const MAX_HEADERS = 16 << 10
/** The status with which a server of TLS answers a request that comes without TLS. */
const BAD_REQUEST = 400

export type Scheme = "http" | "https"

/** The status of an answer's first line; nothing of the rest is read, and no certificate is asked to be anybody's. */
const asked = (scheme: Scheme, host: string, port: number): Effect.Effect<number | undefined> =>
  Effect.async<number | undefined>((resume) => {
    const request = (scheme === "http" ? Http : Https).request(
      { host, port, method: "GET", path: "/", agent: false, maxHeaderSize: MAX_HEADERS, rejectUnauthorized: false, headers: { "user-agent": "banger", connection: "close" } },
      ({ statusCode }) => {
        resume(Effect.succeed(statusCode))
        request.destroy()
      }
    )
    request.on("error", () => resume(Effect.succeed(undefined))).end()
    return Effect.sync(() => void request.destroy())
  }).pipe(Effect.timeoutTo({ duration: PATIENCE, onSuccess: (status) => status, onTimeout: () => undefined }))

/** Whether a port speaks HTTP, and how. */
export const webScheme = (host: string, port: number): Effect.Effect<Scheme | undefined> =>
  Effect.gen(function*() {
    const plain = yield* asked("http", host, port)
    if (plain !== undefined && plain !== BAD_REQUEST) return "http"
    if ((yield* asked("https", host, port)) !== undefined) return "https"
    return plain === undefined ? undefined : "http"
  })
