import * as Dgram from "node:dgram"
import { existsSync, readFileSync } from "node:fs"
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { degraded, restored } from "../degraded.ts"
import { watched } from "../watched.ts"

const RESOLV_CONF = "/etc/resolv.conf"

/** systemd-resolved's list of real upstreams, for hosts whose resolv.conf names its stub. */
const RESOLVED = "/run/systemd/resolve/resolv.conf"
const STUBS = ["127.0.0.53", "127.0.0.54"]

/** An upstream that does not answer in this time is passed over, milliseconds. */
const TIMEOUT_MS = 2_000

/** A packet may be lost: where nobody answered, all are asked once more, if that may still help a client, milliseconds. */
const AGAIN_MS = 4_500

/** The servers of a resolv.conf in its order; without any, the one of this machine is meant (resolv.conf(5)). */
export const upstreams = (resolvConf: string): ReadonlyArray<string> => {
  const found = resolvConf.split("\n").flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1]
    return address !== undefined && Net.isIP(address) !== 0 ? [address] : []
  })
  return found.length === 0 ? ["127.0.0.1"] : found
}

const AUTHORITATIVE = 1 << 10
const TRUNCATED = 1 << 9
const RECURSION = 1 << 7
const NXDOMAIN = 3

/**
 * Whether the reply says what is, rather than that this server cannot or will not: another one may then know. As for the
 * resolvers of libc, an empty referral of a server that asks nobody else is no answer.
 */
export const settles = (reply: Buffer): boolean => {
  const flags = reply.readUInt16BE(2)
  const code = flags & 15
  return code === 0
    ? (flags & (AUTHORITATIVE | TRUNCATED | RECURSION)) !== 0 || reply.readUInt16BE(6) > 0
    : code === NXDOMAIN
}

const HEADER = 12

/** A response, and to this query. */
const answers = (reply: Buffer, query: Buffer) =>
  reply.length >= HEADER && reply.readUInt16BE(0) === query.readUInt16BE(0) && (reply.readUInt16BE(2) & 0x8000) !== 0

/** An answer that came meanwhile, to a process that a busy host held up, is read before the time is called over. */
const noAnswer = (then: () => void) => setTimeout(() => setImmediate(then), TIMEOUT_MS)

type Ask = (server: string, query: Buffer, port?: number) => Promise<Buffer>

export const overUdp: Ask = (server, query, port = 53) =>
  new Promise((resolve, reject) => {
    const socket = Dgram.createSocket(Net.isIPv6(server) ? "udp6" : "udp4")
    let finished = false
    const finish = (act: () => void) => {
      if (finished) return
      finished = true
      clearTimeout(timer)
      socket.close()
      act()
    }
    const timer = noAnswer(() => finish(() => reject(new Error("no answer"))))
    socket.once("error", (error) => finish(() => reject(error)))
    // Connected: the kernel drops answers from anyone else. The port is a random one of its own for each query.
    // Node calls this with the error, too, of a server that cannot be reached; to send then would end the process.
    socket.connect(port, server, (error?: Error) => {
      if (error) finish(() => reject(error))
      else if (!finished) socket.send(query)
    })
    socket.on("message", (reply) => {
      if (answers(reply, query)) finish(() => resolve(reply))
    })
  })

const overTcp: Ask = (server, query, port = 53) =>
  new Promise((resolve, reject) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    let received = Buffer.alloc(0)
    const connection = Net.createConnection({ host: server, port }, () => connection.write(Buffer.concat([length, query])))
    // Of the whole: a server that sends a byte now and then holds nobody.
    const timer = noAnswer(() => connection.destroy(new Error("no answer")))
    connection.once("error", reject)
    connection.once("close", () => {
      clearTimeout(timer)
      reject(new Error("the connection was closed"))
    })
    connection.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const reply = received.subarray(2, 2 + received.readUInt16BE(0))
      if (answers(reply, query)) resolve(reply)
      connection.destroy()
    })
  })

/** SERVFAIL to the query, for when no upstream answers. */
export const servfail = (query: Buffer): Buffer => {
  const reply = Buffer.from(query)
  reply.writeUInt16BE((query.readUInt16BE(2) & 0x7900) | 0x8082, 2)
  return reply
}

const WHAT = "the host's name servers"

/**
 * Passes a raw query to the host's upstreams in turn until one settles it, and the raw answer back: if none does, the last
 * one that came. The list is read anew when it changes; one that cannot be read leaves the last one in force.
 */
export const forwarder = ({ port = 53, resolvConf = RESOLV_CONF, resolved = RESOLVED } = {}) => Effect.gen(function*() {
  const say = Runtime.runSync(yield* Effect.runtime<never>())
  const listed = (file: string) => upstreams(existsSync(file) ? readFileSync(file, "utf8") : "")
  let servers: ReadonlyArray<string> = []
  yield* watched([resolvConf, resolved], () => {
    try {
      const found = listed(resolvConf)
      servers = found.some((server) => STUBS.includes(server)) && existsSync(resolved) ? listed(resolved) : found
      say(restored(WHAT))
    } catch (error) {
      say(degraded(WHAT, { problem: `the last list is in force: ${error}`, fix: `make ${resolvConf} readable for all` }))
    }
  })
  return async (query: Buffer, tcp: boolean): Promise<Buffer> => {
    const begun = performance.now()
    for (let round = 1; round <= 2 && performance.now() - begun < AGAIN_MS; round++) {
      let last: Buffer | undefined
      for (const server of servers) {
        try {
          last = await (tcp ? overTcp : overUdp)(server, query, port)
          if (settles(last)) return last
        } catch {
          // It did not answer: the next one.
        }
      }
      if (last !== undefined) return last
    }
    return servfail(query)
  }
})
