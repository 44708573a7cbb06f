import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import request from "undici/lib/api/api-request.js"
import Client from "undici/lib/dispatcher/client.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { file, readEnd } from "../files.ts"
import { within } from "../monotonic.ts"
import { bounded } from "./console.ts"
import type { ApiRequest } from "./machine.ts"
import { FirecrackerApi, FirecrackerFault, MachineState } from "./contract.ts"
import { socketAt } from "./socket.ts"

const Fault = Schema.parseJson(Schema.Struct({ fault_message: Schema.String }))
const Version = Schema.parseJson(Schema.Struct({ firecracker_version: Schema.String }))
const Instance = Schema.parseJson(Schema.Struct({ state: MachineState }))

/** Firecracker answers each request within milliseconds; InstanceStart loads the kernel first. */
const TIMEOUT_MS = 30_000

/** A process that was started appears with its socket within milliseconds; an emulated host takes a second. */
const SOCKET_TIMEOUT = "20 seconds"

/** Bytes of an answer: the longest of those we ask for is a fault of a few hundred. */
const MAX_ANSWER = 64 << 10

/** Requests that may be under way on the connection: Firecracker answers them in the order they came. */
const PIPELINED = 16

/** One keep-alive connection to the API socket. */
const connect = (socketPath: string) =>
  Effect.gen(function*() {
    yield* Effect.timeoutFail(socketAt(socketPath), {
      duration: SOCKET_TIMEOUT,
      onTimeout: () => new FirecrackerFault({ request: "a connection", fault: `its API socket did not appear within ${SOCKET_TIMEOUT}` })
    })
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new Client("http://localhost", { socketPath, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, maxResponseSize: MAX_ANSWER, pipelining: PIPELINED })),
      (client) => Effect.promise(() => client.destroy())
    )
    const send = (method: "GET" | "PUT" | "PATCH", path: string, body?: object) =>
      Effect.tryPromise({
        try: async () => {
          const response = await request.call(client, {
            method,
            path,
            idempotent: true,
            headers: { "content-type": "application/json", accept: "application/json" },
            body: body === undefined ? null : JSON.stringify(body)
          })
          return { status: response.statusCode, text: await response.body.text() }
        },
        catch: (error) => new FirecrackerFault({ request: `${method} ${path}`, fault: error instanceof Error ? error.message : String(error) })
      }).pipe(
        Effect.filterOrElse(
          ({ status }) => status < 300,
          ({ status, text }) => {
            const fault = Schema.decodeOption(Fault)(text)
            return new FirecrackerFault({
              request: `${method} ${path}`,
              fault: fault._tag === "Some" ? fault.value.fault_message : `status ${status}`
            })
          }
        ),
        Effect.map(({ text }) => text)
      )
    const get = <A, I>(path: string, answer: Schema.Schema<A, I>) =>
      Effect.flatMap(send("GET", path), (text) =>
        Effect.mapError(Schema.decodeUnknown(answer)(text), () => new FirecrackerFault({ request: `GET ${path}`, fault: `unreadable answer ${text.slice(0, 80)}` })))
    // The socket file exists a moment before Firecracker listens on it.
    const { firecracker_version } = yield* get("/version", Version).pipe(
      Effect.retry({ schedule: Schedule.spaced("5 millis").pipe(within("5 seconds")), while: (fault) => fault.fault.includes("ECONNREFUSED") })
    )
    return {
      put: ({ body, path }: ApiRequest) => Effect.asVoid(send("PUT", path, body)),
      patch: ({ body, path }: ApiRequest) => Effect.asVoid(send("PATCH", path, body)),
      version: firecracker_version,
      state: Effect.map(get("/", Instance), ({ state }) => state)
    }
  })

const createLog = (log: string) =>
  file(log, async () => {
    const handle = await fs.open(log, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o666)
    await handle.chmod(0o666)
    await handle.close()
  })

/** Bytes of a log that are kept. */
const KEPT = 64 << 10

/** The end of a log. The VM could have put anything in its place: only a regular file is read, and not through a link. */
const endOfLog = (log: string) =>
  file(log, async () => {
    const handle = await fs.open(log, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return (await handle.stat()).isFile() ? await readEnd(handle, KEPT) : Buffer.alloc(0)
    } finally {
      await handle.close()
    }
  })

const keepLog = (log: string, kept: string) =>
  endOfLog(log).pipe(
    Effect.flatMap((end) => file(kept, () => fs.writeFile(kept, end, { mode: 0o600 }))),
    Effect.catchAll((error) => error.code === "ENOENT" ? Effect.void : Effect.logWarning(error.message))
  )

/** A guest that reboots or powers off does so through a device; only its processor's own shutdown is told by KVM. */
const tripleFault = (log: string) =>
  endOfLog(log).pipe(
    Effect.map((end) => end.includes("KVM_EXIT_SHUTDOWN")),
    Effect.orElseSucceed(() => false)
  )

const boundConsole = (log: string) => Effect.catchAll(bounded(log), (error) => Effect.logWarning(`the console's log is not bounded: ${error.message}`))

export const layer = Layer.succeed(FirecrackerApi, { createLog, keepLog, tripleFault, boundConsole, connect })
