import * as Dgram from "node:dgram"
import { existsSync, readFileSync, watch } from "node:fs"
import * as Net from "node:net"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"

const RESOLV_CONF = "/etc/resolv.conf"

/** systemd-resolved's list of real upstreams, for hosts whose resolv.conf names its stub. */
const RESOLVED = "/run/systemd/resolve/resolv.conf"
const STUBS = ["127.0.0.53", "127.0.0.54"]

/** An upstream that does not answer in this time is passed over, milliseconds. */
const TIMEOUT_MS = 2_000

export const upstreams = (resolvConf: string): ReadonlyArray<string> =>
  resolvConf.split("\n").flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1]
    return address !== undefined && Net.isIP(address) !== 0 ? [address] : []
  })

export const overUdp = (server: string, query: Buffer): Promise<Buffer> =>
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
    const timer = setTimeout(() => finish(() => reject(new Error("no answer"))), TIMEOUT_MS)
    socket.once("error", (error) => finish(() => reject(error)))
    // Connected: the kernel drops answers from anyone else. The port is a random one of its own for each query.
    // Node calls this with the error, too, of a server that cannot be reached; to send then would end the process.
    socket.connect(53, server, (error?: Error) => error ? finish(() => reject(error)) : socket.send(query))
    socket.on("message", (reply) => {
      if (reply.length >= 2 && reply.readUInt16BE(0) === query.readUInt16BE(0)) finish(() => resolve(reply))
    })
  })

const overTcp = (server: string, query: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    let received = Buffer.alloc(0)
    const connection = Net.createConnection({ host: server, port: 53, timeout: TIMEOUT_MS }, () => connection.write(Buffer.concat([length, query])))
    connection.once("timeout", () => connection.destroy(new Error("no answer")))
    connection.once("error", reject)
    connection.once("close", () => reject(new Error("the connection was closed")))
    connection.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)))
      connection.destroy()
    })
  })

/** SERVFAIL to the query, for when no upstream answers. */
export const servfail = (query: Buffer): Buffer => {
  const reply = Buffer.from(query)
  reply.writeUInt16BE((query.readUInt16BE(2) & 0x7900) | 0x8082, 2)
  return reply
}

/**
 * Passes a raw query to the host's upstreams in turn, and their raw answer back. The list is read anew when it changes; one
 * that cannot be read, or not be watched, leaves the last one in force.
 */
export const forwarder = (resolvConf = RESOLV_CONF) => Effect.gen(function*() {
  const runtime = yield* Effect.runtime<never>()
  const listed = (file: string) => existsSync(file) ? upstreams(readFileSync(file, "utf8")) : []
  let servers: ReadonlyArray<string> = []
  const read = Effect.try({
    try: () => {
      const found = listed(resolvConf)
      servers = found.some((server) => STUBS.includes(server)) ? listed(RESOLVED) : found
    },
    catch: (error) => `the host's name servers cannot be read: ${error}`
  }).pipe(Effect.catchAll(Effect.logWarning))
  yield* read
  // Editors, DHCP clients and resolved replace the files, so their directories are watched.
  for (const directory of [resolvConf, RESOLVED].map((file) => path.dirname(file)).filter(existsSync)) {
    yield* Effect.acquireRelease(
      Effect.try({
        try: () =>
          watch(directory, (_event, name) => { if (name === "resolv.conf") Runtime.runFork(runtime)(read) })
            .on("error", (error) => Runtime.runFork(runtime)(Effect.logWarning(`${directory} is not watched any more: ${error.message}`))),
        catch: (error) => `${directory} cannot be watched, so a change of the host's name servers needs a restart: ${error}`
      }),
      (watcher) => Effect.sync(() => watcher.close())
    ).pipe(Effect.catchAll(Effect.logWarning))
  }
  return async (query: Buffer, tcp: boolean): Promise<Buffer> => {
    for (const server of servers) {
      try {
        return await (tcp ? overTcp : overUdp)(server, query)
      } catch {
        continue
      }
    }
    return servfail(query)
  }
})
