import { mkdtempSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { Readable } from "node:stream"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { exec, health, putFiles, untilExit } from "./agent-client.ts"
import { encodeFrame, GuestFrame } from "./agent-frames.ts"

const base = mkdtempSync(`${tmpdir()}/banger-hostile-guest-`)
const servers: Array<Net.Server> = []
afterAll(() => {
  for (const server of servers) server.close()
  rmSync(base, { recursive: true })
})

/** A guest that says these bytes once it was asked something, on a connection that `first` has opened. */
const guest = async (said: Buffer | string, first = "OK 1\n"): Promise<string> => {
  const socket = `${base}/${servers.length}.sock`
  const server = Net.createServer((connection) => {
    connection.on("error", () => {})
    connection.once("data", () => {
      connection.write(first)
      connection.once("data", () => connection.write(said))
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return socket
}

const answer = (status: string, body: string, headers = "") => `HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\n${headers}\r\n${body}`
const failing = (socket: Promise<string>) => Effect.flatMap(Effect.promise(() => socket), (at) => Effect.flip(health(at)))

describe("a hostile guest", () => {
  it.live("does not fill memory with an answer, nor with its headers", () =>
    Effect.gen(function*() {
      assert.match((yield* failing(guest(answer("200 OK", "x".repeat(257 << 10))))).message, /longer than 262144 bytes/)
      assert.match((yield* failing(guest(answer("200 OK", "{}", `x: ${"x".repeat(17 << 10)}\r\n`)))).message, /overflow/i)
    }))

  it.live("does not keep us waiting for the end of a line", () =>
    Effect.gen(function*() {
      assert.match((yield* failing(guest("", "OK ".padEnd(40, "1")))).message, /refused the connection/)
    }))

  it.live("says little, and nothing that a terminal obeys", () =>
    Effect.gen(function*() {
      const at = yield* Effect.promise(() => guest(answer("400 Bad Request", JSON.stringify({ error: `\x1b[2J${"x".repeat(2_000)}` }))))
      const { message } = yield* Effect.flip(putFiles(at, "/root", Readable.from([Buffer.alloc(0)])))
      assert.include(message, "?[2Jxxx")
      assert.isBelow(message.length, 400)
    }))

  it.live("ends with no status that is none", () =>
    Effect.gen(function*() {
      const upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: banger-exec\r\n\r\n"
      const exit = encodeFrame(GuestFrame.exit, Buffer.from(JSON.stringify({ code: 256, error: "" })))
      const at = yield* Effect.promise(() => guest(Buffer.concat([Buffer.from(upgrade), exit])))
      const ended = Effect.flatMap(exec(at, { argv: ["x"], env: {}, cwd: "", user: "root", tty: null, timeoutMs: 0 }), (stream) => untilExit(stream, () => Effect.void))
      assert.strictEqual((yield* Effect.flip(Effect.scoped(ended)))._tag, "AgentUnreachable")
    }))
})
