import * as Http from "node:http"
import type { Readable } from "node:stream"
import { pipeline } from "node:stream"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { printable } from "@banger/domain/printable.ts"
import { decodeFrames, encodeFrame, type Frame, GuestFrame, HostFrame } from "./agent-frames.ts"
import { AgentUnreachable, connect } from "./connect.ts"
import { AGENT_PORT } from "./contract.ts"

/** The agent answered, and did not do what it was asked. */
export class AgentRefused extends Schema.TaggedError<AgentRefused>()("AgentRefused", {
  status: Schema.Int,
  problem: Schema.String
}) {
  override get message() {
    return `the guest's agent refused: ${this.problem}`
  }
}

/** Of what an agent says of itself only what is needed here: one of another version may say less, or more. */
export const Health = Schema.Struct({ version: Schema.String, uptimeMs: Schema.Number })
export type Health = typeof Health.Type

/** Whether an sshd listens; or none is installed; or one is, and does not listen. `term`: a terminal that the guest knows. */
export const SshServer = Schema.Struct({ state: Schema.Literal("listening", "missing", "silent"), term: Schema.String })
export type SshServer = typeof SshServer.Type

/** A socket of the guest that waits for others. Address and command are a stranger's text. */
export const OpenPort = Schema.Struct({ protocol: Schema.Literal("tcp", "udp"), address: Schema.String, port: Schema.Int, pid: Schema.Int, command: Schema.String })
export type OpenPort = typeof OpenPort.Type
const OpenPorts = Schema.Struct({ ports: Schema.Array(OpenPort), total: Schema.Int })

/** KiB of memory that the guest's kernel has, and that programs could still take. */
const GuestMemory = Schema.Struct({ totalKiB: Schema.Int, availableKiB: Schema.Int })

export const Unpacked = Schema.Struct({ files: Schema.Int, bytes: Schema.Number })
export type Unpacked = typeof Unpacked.Type

const MAX_HEADERS = 16 << 10
const MAX_BODY = 256 << 10
/** Milliseconds without a byte either way after which a transfer is given up; the agent's own limit is 120 s. */
const STALL = 150_000

export interface Ask {
  readonly method: "GET" | "PUT" | "POST"
  readonly path: string
  readonly headers?: Http.OutgoingHttpHeaders
  /** A stream is sent as it comes; its failure fails the request. */
  readonly body?: string | Readable
}

const lost = (error: unknown) =>
  new AgentUnreachable({ problem: error instanceof Error ? error.message : String(error) })

/** The scope closes it. Connecting can be interrupted. */
const opened = (socket: string) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.tap(restore(connect(socket, AGENT_PORT)), (connection) =>
      Effect.addFinalizer(() => Effect.sync(() => connection.on("error", () => {}).destroy()))))

/** Loads node:http, which a start-up snapshot cannot hold, while a VM boots: the first request need not. */
export const preload: Effect.Effect<void> = Effect.sync(() => void Http.request)

/** A request on a connection of its own, which the scope closes. Nothing was read of the answer's body yet. */
export const request = (
  socket: string,
  ask: Ask
): Effect.Effect<Http.IncomingMessage, AgentUnreachable, Scope.Scope> =>
  Effect.gen(function*() {
    const connection = yield* opened(socket)
    return yield* Effect.async<Http.IncomingMessage, AgentUnreachable>((resume) => {
      const fail = (error: unknown) => resume(Effect.fail(lost(error)))
      const sent = Http.request({
        createConnection: () => connection,
        method: ask.method,
        path: ask.path,
        headers: { host: "agent", ...ask.headers },
        maxHeaderSize: MAX_HEADERS
      })
      sent.setTimeout(STALL, () => sent.destroy(new Error("it stands still")))
      sent.on("error", fail)
      sent.once("response", (answer) => {
        answer.on("error", () => {})
        resume(Effect.succeed(answer))
      })
      sent.once("upgrade", (answer, stream, head) => {
        stream.setTimeout(0)
        if (head.length > 0) stream.unshift(head)
        resume(Effect.succeed(answer))
      })
      if (ask.body === undefined || typeof ask.body === "string") return void sent.end(ask.body)
      pipeline(ask.body, sent, (error) => error && fail(error))
    })
  })

/** The whole body of an answer that ought to be small. */
const text = (answer: Http.IncomingMessage): Effect.Effect<string, AgentUnreachable> =>
  Effect.tryPromise({
    try: async () => {
      const chunks: Array<Buffer> = []
      let size = 0
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > MAX_BODY) throw new Error(`its answer is longer than ${MAX_BODY} bytes`)
        chunks.push(chunk)
      }
      return Buffer.concat(chunks).toString("utf8")
    },
    catch: lost
  })

const Refusal = Schema.parseJson(Schema.Struct({ error: Schema.String }))

/** Fails unless the answer has the status that means success. */
export const expecting = (status: number) => (answer: Http.IncomingMessage) =>
  answer.statusCode === status ? Effect.succeed(answer) : Effect.flatMap(text(answer), (body) => {
    const said = Schema.decodeUnknownOption(Refusal)(body)
    const problem = said._tag === "Some" ? printable(said.value.error) : `status ${answer.statusCode}`
    return Effect.fail(new AgentRefused({ status: answer.statusCode ?? 0, problem }))
  })

const decoded = <A, I>(schema: Schema.Schema<A, I>) => (answer: Http.IncomingMessage) =>
  Effect.flatMap(text(answer), (body) =>
    Schema.decodeUnknown(Schema.parseJson(schema))(body).pipe(
      Effect.mapError(() => new AgentUnreachable({ problem: "its answer is not what this version of banger expects" }))
    ))

const within = (duration: `${number} seconds`) => <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.timeoutFail(call, { duration, onTimeout: () => new AgentUnreachable({ problem: `no answer within ${duration}` }) })

/** What the agent says of its guest at a path, within a time. */
const said = <A, I>(socket: string, path: string, schema: Schema.Schema<A, I>, limit: `${number} seconds`): Effect.Effect<A, AgentUnreachable | AgentRefused> =>
  request(socket, { method: "GET", path }).pipe(Effect.flatMap(expecting(200)), Effect.flatMap(decoded(schema)), within(limit), Effect.scoped)

/** Has the agent do what a path names, within a time. */
const told = (socket: string, path: string, what: object, status: number, limit: `${number} seconds`): Effect.Effect<void, AgentUnreachable | AgentRefused> =>
  request(socket, { method: "POST", path, body: JSON.stringify(what) }).pipe(Effect.flatMap(expecting(status)), within(limit), Effect.scoped, Effect.asVoid)

/** A refusal of a call that cannot be wrong is as good as no answer. */
const unreachable = (refused: AgentRefused) => new AgentUnreachable({ problem: refused.problem })

export const health = (socket: string): Effect.Effect<Health, AgentUnreachable> =>
  Effect.catchTag(said(socket, "/v1/health", Health, "5 seconds"), "AgentRefused", unreachable)

/** Returns when the guest has written its file systems out and is about to go down; it goes down after that. */
export const shutdown = (socket: string, action: "stop" | "reboot"): Effect.Effect<void, AgentUnreachable> =>
  Effect.catchTag(told(socket, "/v1/shutdown", { action }, 202, "30 seconds"), "AgentRefused", unreachable)

/** Sets the guest's clock, in milliseconds since 1970. Refused with 404 by agents that know no such call. */
export const setClock = (socket: string, unixMs: number): Effect.Effect<void, AgentUnreachable | AgentRefused> =>
  told(socket, "/v1/clock", { unixMs }, 204, "5 seconds")

/** Gives the guest another host name, now and for its programs that read it later. Refused with 404 by agents that know no such call. */
export const setHostname = (socket: string, hostname: string): Effect.Effect<void, AgentUnreachable | AgentRefused> =>
  told(socket, "/v1/hostname", { hostname }, 204, "5 seconds")

/** Asks for the guest's sshd, and waits for one that is still starting: so many seconds at most. */
export const sshServer = (socket: string, seconds: number, term: string): Effect.Effect<SshServer, AgentUnreachable | AgentRefused> =>
  said(socket, `/v1/sshd?${new URLSearchParams({ waitMs: String(seconds * 1000), term })}`, SshServer, `${seconds + 10} seconds`)

/** The guest's open ports, of at most a thousand, and how many there are. Refused with 404 by agents that know no such call. */
export const openPorts = (socket: string): Effect.Effect<typeof OpenPorts.Type, AgentUnreachable | AgentRefused> =>
  said(socket, "/v1/ports", OpenPorts, "10 seconds")

/** The guest's own word on its memory. Refused with 404 by agents that know no such call. */
export const guestMemory = (socket: string): Effect.Effect<typeof GuestMemory.Type, AgentUnreachable | AgentRefused> =>
  said(socket, "/v1/memory", GuestMemory, "5 seconds")

const at = (call: "files" | "copy", path: string) => `/v1/${call}?${new URLSearchParams({ path })}`

const put = (call: "files" | "copy") => (socket: string, path: string, tar: Readable): Effect.Effect<Unpacked, AgentUnreachable | AgentRefused> =>
  request(socket, { method: "PUT", path: at(call, path), body: tar }).pipe(
    Effect.flatMap(expecting(200)),
    Effect.flatMap(decoded(Unpacked)),
    Effect.scoped
  )

/** Unpacks a tar stream into a directory of the guest, which is made when missing. */
export const putFiles = put("files")

/** Unpacks one as `cp` would copy to a path: into a directory that is there, else in the place of the path's last name. Refused with 404 by agents that know no such call. */
export const putCopy = put("copy")

/** A tar stream of a file or directory of the guest, names relative to what holds it. A stranger's archive; cut short, it fails. */
export const getFiles = (socket: string, path: string): Effect.Effect<Readable, AgentUnreachable | AgentRefused, Scope.Scope> =>
  Effect.flatMap(request(socket, { method: "GET", path: at("files", path) }), expecting(200))

export interface Terminal {
  readonly rows: number
  readonly cols: number
  readonly term: string
}

/** What to run. An empty `argv` is the user's login shell, an empty `cwd` the user's home. */
export interface Start {
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly user: string
  readonly tty: Terminal | null
  /** 0: no limit. */
  readonly timeoutMs: number
}

/** Both ends of a command's frames. */
export interface ExecStream {
  /** The guest's next frame, `undefined` once it has closed the stream. */
  readonly next: Effect.Effect<Frame | undefined, AgentUnreachable>
  /** Returns when the frame has left this process. */
  readonly send: (type: number, payload: Uint8Array) => Effect.Effect<void, AgentUnreachable>
}

/** Bytes of standard input that may be on their way; the guest says with `taken` what its command has accepted. */
export const STDIN_WINDOW = 1 << 20

/** Starts a command. When the scope closes before its exit the guest hangs it up. */
export const exec = (
  socket: string,
  start: Start
): Effect.Effect<ExecStream, AgentUnreachable | AgentRefused, Scope.Scope> =>
  request(socket, { method: "GET", path: "/v1/exec", headers: { connection: "Upgrade", upgrade: "banger-exec" } }).pipe(
    within("10 seconds"),
    Effect.flatMap(expecting(101)),
    Effect.map(({ socket: stream }): ExecStream => {
      const frames = decodeFrames(stream)
      return {
        next: Effect.map(Effect.tryPromise({ try: () => frames.next(), catch: lost }), ({ value }) => value ?? undefined),
        send: (type, payload) =>
          Effect.async((resume) => {
            stream.write(encodeFrame(type, payload), (error) => resume(error ? Effect.fail(lost(error)) : Effect.void))
          })
      }
    }),
    Effect.tap(({ send }) => send(HostFrame.start, Buffer.from(JSON.stringify({ ...start, stdinAcks: true }))))
  )

/** How a command ended. */
export interface Ended {
  readonly status: number
  /** Why the command could not run; empty when it did. */
  readonly problem: string
}

const Exit = Schema.parseJson(Schema.Struct({ code: Schema.Int.pipe(Schema.between(0, 255)), error: Schema.String }))

/** Hands on what the guest sends until the command's exit. The next frame is asked for when one has been taken. */
export const untilExit = <E>(stream: ExecStream, take: (frame: Frame) => Effect.Effect<void, E>): Effect.Effect<Ended, AgentUnreachable | E> =>
  Effect.flatMap(stream.next, (frame) => {
    if (frame === undefined) return Effect.fail(new AgentUnreachable({ problem: "the connection ended before the command" }))
    if (frame.type !== GuestFrame.exit) return Effect.zipRight(take(frame), untilExit(stream, take))
    return Schema.decodeUnknown(Exit)(frame.payload.toString("utf8")).pipe(
      Effect.map(({ code, error }): Ended => ({ status: code, problem: error })),
      Effect.mapError(() => new AgentUnreachable({ problem: "its report of the command's end makes no sense" }))
    )
  })
