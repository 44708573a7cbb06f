import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { temporary } from "../testing/temporary.ts"
import { FirecrackerApi } from "./contract.ts"
import { layer } from "./api.ts"

/** Answers as Firecracker does, and keeps what it was asked. */
const served = (socket: string) =>
  Effect.acquireRelease(
    Effect.async<{ readonly asked: Array<string>; readonly connections: () => number; readonly close: () => void }>((resume) => {
      const asked: Array<string> = []
      let connections = 0
      const server = http.createServer((request, response) => {
        let body = ""
        request.on("data", (chunk) => body += chunk).on("end", () => {
          asked.push(`${request.method} ${request.url} ${body}`.trim())
          if (request.url === "/version") return void response.end(`{"firecracker_version":"1.12.1"}`)
          if (request.url === "/") return void response.end(`{"state":"Paused"}`)
          if (request.url === "/wrong") return void response.writeHead(400).end(`{"fault_message":"no such thing"}`)
          response.writeHead(204).end()
        })
      }).on("connection", () => connections++)
      server.listen(socket, () => resume(Effect.succeed({ asked, connections: () => connections, close: () => void server.close() })))
    }),
    ({ close }) => Effect.sync(close)
  )

describe("Firecracker's API", () => {
  it.scopedLive("is asked over one connection, in order, and its faults are told by their own words", () => Effect.gen(function*() {
    const socket = `${yield* temporary}/a.sock`
    const { asked, connections } = yield* served(socket)
    const api = yield* Effect.flatMap(FirecrackerApi, ({ connect }) => connect(socket))
    assert.strictEqual(api.version, "1.12.1")
    yield* Effect.all([api.put({ path: "/boot-source", body: { kernel: "k" } }), api.put({ path: "/machine-config", body: { vcpu_count: 1 } })], { concurrency: 2 })
    assert.strictEqual(yield* api.state, "Paused")
    const fault = yield* Effect.flip(api.patch({ path: "/wrong", body: {} }))
    assert.include(fault.message, "no such thing")
    assert.deepStrictEqual(asked, ["GET /version", `PUT /boot-source {"kernel":"k"}`, `PUT /machine-config {"vcpu_count":1}`, "GET /", "PATCH /wrong {}"])
    assert.strictEqual(connections(), 1)
  }).pipe(Effect.provide(layer)))
})

describe("Firecracker's log, in a directory that a VM which broke out writes to", () => {
  it.scoped("is made for all to write, and never through a link that lies in its place", () => Effect.gen(function*() {
    const { createLog } = yield* FirecrackerApi
    const directory = yield* temporary
    const [log, other] = [`${directory}/log`, `${directory}/other`]
    yield* createLog(log)
    assert.strictEqual(fs.statSync(log).mode & 0o777, 0o666)
    fs.writeFileSync(other, "", { mode: 0o600 })
    fs.rmSync(log)
    fs.symlinkSync(other, log)
    assert.strictEqual((yield* Effect.flip(createLog(log))).code, "ELOOP")
    assert.strictEqual(fs.statSync(other).mode & 0o777, 0o600)
  }).pipe(Effect.provide(layer)))

  it.scopedLive("is kept when it is a file, its end alone; of anything else nothing is, and nobody waits for it", () => Effect.gen(function*() {
    const { keepLog, tripleFault } = yield* FirecrackerApi
    const directory = yield* temporary
    const [log, kept, secret] = [`${directory}/log`, `${directory}/kept`, `${directory}/secret`]
    const keptOf = Effect.map(keepLog(log, kept), () => fs.existsSync(kept) ? fs.readFileSync(kept, "utf8") : undefined)
    assert.isUndefined(yield* keptOf)
    fs.writeFileSync(log, `${"x".repeat(1 << 20)}KVM_EXIT_SHUTDOWN\n`)
    const end = (yield* keptOf) ?? ""
    assert.isTrue(end.endsWith("KVM_EXIT_SHUTDOWN\n"))
    assert.isAtMost(end.length, 64 << 10)
    assert.strictEqual(fs.statSync(kept).mode & 0o777, 0o600)
    assert.isTrue(yield* tripleFault(log))
    fs.rmSync(log)
    fs.rmSync(kept)
    fs.writeFileSync(secret, "KVM_EXIT_SHUTDOWN")
    fs.symlinkSync(secret, log)
    assert.isUndefined(yield* keptOf)
    assert.isFalse(yield* tripleFault(log))
    // A FIFO that nobody writes to would hold its reader for ever.
    fs.rmSync(log)
    execFileSync("mkfifo", [log])
    assert.strictEqual(yield* keptOf, "")
    assert.isFalse(yield* tripleFault(log))
  }).pipe(Effect.provide(layer)))
})
