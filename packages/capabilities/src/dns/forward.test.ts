import * as Dgram from "node:dgram"
import * as fs from "node:fs"
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as dnsPacket from "dns-packet"
import * as Effect from "effect/Effect"
import { temporary } from "../testing/temporary.ts"
import { forwarder, overUdp, servfail, settles, upstreams } from "./forward.ts"

const query = Buffer.from("123401000001000000000000076578616d706c6503636f6d0000010001", "hex")

const RA = 1 << 7
const reply = (code: number, address?: string, flags = RA) =>
  dnsPacket.encode({
    type: "response",
    id: 0x1234,
    flags: flags | code,
    questions: [{ type: "A", name: "example.com", class: "IN" }],
    answers: address === undefined ? [] : [{ type: "A", name: "example.com", data: address }]
  })
const addressIn = (packet: Buffer) => dnsPacket.decode(packet).answers?.map((answer) => "data" in answer ? answer.data : "")[0]

/** Name servers of this machine, by the last part of their loopback address; each says one thing, or nothing. Gives their port. */
const servers = (says: Record<number, Buffer | undefined>) =>
  Effect.gen(function*() {
    let port = 0
    for (const [last, answer] of Object.entries(says)) {
      const socket = yield* Effect.acquireRelease(
        Effect.async<Dgram.Socket>((resume) => {
          const made: Dgram.Socket = Dgram.createSocket("udp4").bind(port, `127.0.77.${last}`, () => resume(Effect.succeed(made)))
        }),
        (open) => Effect.async<void>((resume) => void open.close(() => resume(Effect.void)))
      )
      port = socket.address().port
      socket.on("message", (_asked, from) => { if (answer !== undefined) socket.send(answer, from.port, from.address) })
    }
    return port
  })

/** A resolv.conf in a directory of its own, which names these servers. */
const naming = (...last: ReadonlyArray<number>) => last.map((each) => `nameserver 127.0.77.${each}\n`).join("")

const NO_RESOLVED = "/nonexistent/resolv.conf"

describe("forward", () => {
  it("an upstream that cannot be reached is an error of that query, and ends nothing else", async () => {
    // Link-local and of no link: connect fails at once, in the callback.
    const outcome = await overUdp("fe80::1%nosuch", query).then(() => "answered", () => "refused")
    assert.strictEqual(outcome, "refused")
  })

  it.scopedLive("a list of name servers that cannot be read ends nothing", () => Effect.gen(function*() {
    // A directory: it exists, and reading it fails.
    const forward = yield* forwarder({ resolvConf: yield* temporary })
    assert.deepStrictEqual(yield* Effect.promise(() => forward(query, false)), servfail(query))
  }))

  it("SERVFAIL keeps the query's id and question", () => {
    const failed = servfail(query)
    assert.deepStrictEqual([failed.readUInt16BE(0), failed.readUInt16BE(2) & 0x800f, failed.subarray(12)], [0x1234, 0x8002, query.subarray(12)])
  })

  it("a refusal, a failure and an empty referral settle nothing; a name that is not there does", () => {
    for (const code of [1, 2, 4, 5, 9]) assert.isFalse(settles(reply(code)), String(code))
    assert.isFalse(settles(reply(0, undefined, 0)), "a referral of a server that asks nobody")
    for (const settled of [reply(3), reply(0), reply(0, "192.0.2.7", 0), reply(0, undefined, 1 << 10), reply(0, undefined, 1 << 9)]) assert.isTrue(settles(settled))
  })

  it.scopedLive("what one server refuses, fails at or does not answer, the next one is asked", () => Effect.gen(function*() {
    const port = yield* servers({ 1: reply(5), 2: reply(2), 3: undefined, 4: Buffer.from("12"), 5: query, 6: reply(0, "192.0.2.7") })
    const directory = yield* temporary
    yield* Effect.forEach([[1, 6], [2, 6], [3, 6], [4, 6], [5, 6], [1, 2, 9, 6]], (list) =>
      Effect.gen(function*() {
        const resolvConf = `${directory}/${list.join("-")}`
        fs.writeFileSync(resolvConf, naming(...list))
        const forward = yield* forwarder({ port, resolvConf, resolved: NO_RESOLVED })
        assert.strictEqual(addressIn(yield* Effect.promise(() => forward(query, false))), "192.0.2.7", list.join(" "))
      }), { concurrency: "unbounded", discard: true })
  }))

  it.scopedLive("over TCP, too: a server that takes no connection, closes it or refuses the query is passed over", () => Effect.gen(function*() {
    const directory = yield* temporary
    let port = 0
    for (const [last, says] of [[1, reply(5)], [2, undefined], [3, reply(0, "192.0.2.8")]] as const) {
      const server = yield* Effect.acquireRelease(
        Effect.async<Net.Server>((resume) => {
          const made: Net.Server = Net.createServer((connection) =>
            connection.on("error", () => {}).once("data", () => connection.end(says === undefined ? "" : Buffer.concat([Buffer.from([0, says.length]), says])))
          ).listen(port, `127.0.77.${last}`, () => resume(Effect.succeed(made)))
        }),
        (open) => Effect.sync(() => void open.close())
      )
      port = (server.address() as Net.AddressInfo).port
    }
    fs.writeFileSync(`${directory}/resolv.conf`, naming(9, 1, 2, 3))
    const forward = yield* forwarder({ port, resolvConf: `${directory}/resolv.conf`, resolved: NO_RESOLVED })
    assert.strictEqual(addressIn(yield* Effect.promise(() => forward(query, true))), "192.0.2.8")
  }))

  it.scopedLive("when none settles it, what the last one said is the answer", () => Effect.gen(function*() {
    const port = yield* servers({ 1: reply(2), 2: reply(5) })
    const file = `${yield* temporary}/resolv.conf`
    fs.writeFileSync(file, naming(1, 2, 9))
    const forward = yield* forwarder({ port, resolvConf: file, resolved: NO_RESOLVED })
    assert.strictEqual(dnsPacket.decode(yield* Effect.promise(() => forward(query, false))).flags! & 15, 5)
  }))

  it.scopedLive("a packet that is lost is sent again", () => Effect.gen(function*() {
    let asked = 0
    const socket = yield* Effect.acquireRelease(
      Effect.async<Dgram.Socket>((resume) => {
        const made: Dgram.Socket = Dgram.createSocket("udp4").bind(0, "127.0.77.1", () => resume(Effect.succeed(made)))
      }),
      (open) => Effect.async<void>((resume) => void open.close(() => resume(Effect.void)))
    )
    socket.on("message", (_asked, from) => { if (++asked === 2) socket.send(reply(0, "192.0.2.7"), from.port, from.address) })
    const file = `${yield* temporary}/resolv.conf`
    fs.writeFileSync(file, naming(1))
    const forward = yield* forwarder({ port: socket.address().port, resolvConf: file, resolved: NO_RESOLVED })
    assert.strictEqual(addressIn(yield* Effect.promise(() => forward(query, false))), "192.0.2.7")
  }))

  it.scopedLive("follows the list where its link leads, and resolved's list when that one comes later", () => Effect.gen(function*() {
    const port = yield* servers({ 1: reply(0, "192.0.2.1"), 2: reply(0, "192.0.2.2"), 3: reply(0, "192.0.2.3") })
    const directory = yield* temporary
    for (const name of ["etc", "run/NetworkManager"]) fs.mkdirSync(`${directory}/${name}`, { recursive: true })
    const target = `${directory}/run/NetworkManager/resolv.conf`
    fs.writeFileSync(target, naming(1))
    fs.symlinkSync(target, `${directory}/etc/resolv.conf`)
    const forward = yield* forwarder({ port, resolvConf: `${directory}/etc/resolv.conf`, resolved: `${directory}/run/resolve/resolv.conf` })
    const answers = (address: string) =>
      Effect.promise(() => forward(query, false)).pipe(
        Effect.repeat({ until: (packet) => addressIn(packet) === address }),
        Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => `never ${address}` })
      )
    yield* answers("192.0.2.1")
    fs.writeFileSync(`${target}.new`, naming(2))
    fs.renameSync(`${target}.new`, target)
    yield* answers("192.0.2.2")
    fs.writeFileSync(target, "nameserver 127.0.0.53\n")
    fs.mkdirSync(`${directory}/run/resolve`)
    fs.writeFileSync(`${directory}/run/resolve/resolv.conf`, naming(3))
    yield* answers("192.0.2.3")
  }))

  it("reads the host's upstreams, whatever else stands in the file", () => {
    assert.deepStrictEqual(
      upstreams("# nameserver 9.9.9.9\nsearch lan\noptions rotate timeout:1\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 # mine\nnameserver bogus\r\nnameserver fe80::1%eth0\r\n; nameserver 8.8.8.8\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"),
      ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "192.0.2.3", "192.0.2.4"]
    )
    assert.deepStrictEqual(upstreams("search lan\n"), ["127.0.0.1"])
  })
})
