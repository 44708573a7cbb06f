import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { Readable } from "node:stream"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { exec, health, putFiles, setClock, setHostname, shutdown, sshServer, untilExit } from "./agent-client.ts"
import { encodeFrame, GuestFrame } from "./agent-frames.ts"

const base = mkdtempSync(`${tmpdir()}/banger-agent-client-`)
const guests: Array<Net.Server> = []
afterAll(() => {
  for (const guest of guests) guest.close()
  rmSync(base, { recursive: true, force: true })
})

/** A guest that answers a request with these bytes, whatever it was. */
const guest = async (answer: (connection: Net.Socket) => void): Promise<string> => {
  const socket = `${base}/${guests.length}.sock`
  const server = Net.createServer((connection) => {
    connection.on("error", () => {})
    connection.once("data", () => {
      connection.write("OK 1\n")
      connection.once("data", () => answer(connection))
    })
  })
  guests.push(server)
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return socket
}

const http = (status: string, body: string, headers = "") => (connection: Net.Socket) =>
  void connection.end(`HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`)

const START = { argv: ["true"], env: {}, cwd: "", user: "root", tty: null, timeoutMs: 0 }
const UPGRADE = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: banger-exec\r\n\r\n"

describe("a guest's agent", () => {
  let well: string
  beforeAll(async () => {
    well = await guest(http("200 OK", JSON.stringify({ protocol: 1, version: "1", bootId: "b", release: "r", init: "systemd", uptimeMs: 5, warnings: [], later: 1 })))
  })

  it.live("tells how it is, also with more than this version knows", () =>
    Effect.map(health(well), ({ uptimeMs, version }) => assert.deepStrictEqual([version, uptimeMs], ["1", 5])))

  it.live("of an earlier version does what it can, and says of the rest that there is no such call", () =>
    Effect.gen(function*() {
      const missing = http("404 Not Found", '{"error":"no such request"}')
      const old = yield* Effect.promise(() => guest(missing))
      for (const call of [setClock(old, 1), setHostname(old, "site"), sshServer(old, 1, "xterm")]) {
        const refused = yield* Effect.flip(call)
        assert.deepStrictEqual([refused._tag, "status" in refused && refused.status], ["AgentRefused", 404])
      }
      const [less, put, down, run] = yield* Effect.promise(() => Promise.all([
        guest(http("200 OK", '{"version":"0.0.9","uptimeMs":1}')), guest(http("200 OK", '{"files":1,"bytes":2}')), guest(http("202 Accepted", "")),
        guest((connection) => void connection.end(Buffer.concat([Buffer.from(UPGRADE), encodeFrame(GuestFrame.exit, Buffer.from('{"code":3,"error":""}'))])))
      ]))
      assert.strictEqual((yield* health(less)).uptimeMs, 1)
      assert.strictEqual((yield* putFiles(put, "/x", Readable.from([]))).files, 1)
      yield* shutdown(down, "stop")
      const ended = yield* Effect.scoped(Effect.flatMap(exec(run, START), (stream) => untilExit(stream, () => Effect.void)))
      assert.deepStrictEqual(ended, { status: 3, problem: "" })
    }))

  it.live("is unreachable when nothing listens, what lies there is no socket, or its answer makes no sense", () =>
    Effect.gen(function*() {
      writeFileSync(`${base}/file`, "")
      const sockets = [`${base}/nothing`, `${base}/file`, ...(yield* Effect.promise(() => Promise.all([
        guest((connection) => void connection.destroy()),
        guest(http("200 OK", "{}")),
        guest(http("500 Internal Server Error", '{"error":"no"}')),
        guest(http("200 OK", "x".repeat(300_000))),
        guest(http("200 OK", "{}", `x: ${"y".repeat(40_000)}\r\n`)),
        guest((connection) => void connection.write("\0\0\0garbage\r\n\r\n"))
      ])))]
      for (const socket of sockets) assert.strictEqual((yield* Effect.flip(health(socket)))._tag, "AgentUnreachable", socket)
    }))

  it.effect("that says nothing is given up", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const silent = yield* Effect.promise(() => guest(() => Deferred.unsafeDone(asked, Effect.void)))
      const fiber = yield* Effect.fork(Effect.flip(health(silent)))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("5 seconds")
      assert.match((yield* Fiber.join(fiber)).message, /no answer within 5 seconds/)
    }))

  it.live("shuts down on 202 alone", () =>
    Effect.gen(function*() {
      const [willing, other] = yield* Effect.promise(() => Promise.all([guest(http("202 Accepted", "")), guest(http("200 OK", ""))]))
      yield* shutdown(willing, "stop")
      assert.strictEqual((yield* Effect.flip(shutdown(other, "stop")))._tag, "AgentUnreachable")
    }))

  it.live("may refuse files or a command, in its own words", () =>
    Effect.gen(function*() {
      const [full, busy] = yield* Effect.promise(() => Promise.all([
        guest(http("500 Internal Server Error", '{"error":"no space left on device"}')), guest(http("503 Service Unavailable", '{"error":"256 commands run already"}'))]))
      const refused = yield* Effect.flip(putFiles(full, "/root/x", Readable.from([Buffer.alloc(10)])))
      assert.deepInclude(refused, { _tag: "AgentRefused", status: 500, problem: "no space left on device" })
      assert.deepInclude(yield* Effect.flip(Effect.scoped(exec(busy, START))), { _tag: "AgentRefused", status: 503 })
    }))

  it.live("is not believed when a frame is too long, or the stream breaks", () =>
    Effect.gen(function*() {
      const long = Buffer.from([GuestFrame.stdout, 0xff, 0xff, 0xff, 0xff])
      const socket = yield* Effect.promise(() => guest((connection) => void connection.end(Buffer.concat([Buffer.from(UPGRADE), encodeFrame(GuestFrame.stderr, Buffer.from("hi")), long]))))
      yield* Effect.scoped(Effect.gen(function*() {
        const stream = yield* exec(socket, START)
        assert.strictEqual(String((yield* stream.next)?.payload), "hi")
        assert.match((yield* Effect.flip(stream.next)).message, /at most 1048576/)
      }))
    }))
})
