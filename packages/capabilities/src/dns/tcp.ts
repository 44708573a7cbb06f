import * as Net from "node:net"

/** Bytes of a query. A real one has a few hundred at most; over TCP its length may say 64 KiB. */
export const MAX_QUERY = 4096

/** Bytes of an answer: its length is told in two bytes. */
const MAX_ANSWER = 65_535

/** Clients that say nothing are cut off, milliseconds; longer than an answer takes at most. */
const IDLE_MS = 10_000

/** How long an end waits for answers that are under way, milliseconds. */
export const DRAIN_MS = 3_000

/** At once, of all clients together, and of one: a guest takes its own share alone. */
const MAX_CONNECTIONS = 256
const MAX_OF_ONE = 16

/** Answers one raw query; undefined drops it, which is what a message that cannot be read deserves. */
export type Answer = (query: Buffer, from: string, tcp: boolean) => Promise<Buffer | undefined>

const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}

/**
 * Answers the queries of one connection in turn, and reads no further while one is under way: what a client sends ahead
 * waits in the kernel, not here.
 */
const serve = async (connection: Net.Socket, answer: Answer, asked: Set<Net.Socket>, ending: () => boolean): Promise<unknown> => {
  let received = Buffer.alloc(0)
  for await (const chunk of connection) {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2) {
      const end = 2 + received.readUInt16BE(0)
      if (end > 2 + MAX_QUERY) return
      if (received.length < end) break
      // A client that asks on and reads no answer would have them pile up here.
      if (connection.writableLength > MAX_ANSWER) return connection.destroy()
      asked.add(connection)
      const reply = await answer(received.subarray(2, end), connection.remoteAddress ?? "", true).finally(() => asked.delete(connection))
      if (reply === undefined || reply.length > MAX_ANSWER) return
      connection.write(framed(reply))
      if (ending()) return
      received = received.subarray(end)
    }
  }
}

/** A DNS server over TCP, not yet listening, and what ends it with all its connections: first those that were asked nothing. */
export const tcpServer = (answer: Answer): { readonly server: Net.Server; readonly end: (ended: () => void) => void } => {
  const connections = new Set<Net.Socket>()
  const asked = new Set<Net.Socket>()
  let ending = false
  const server = Net.createServer((connection) => {
    const { remoteAddress } = connection
    if ([...connections].filter((other) => other.remoteAddress === remoteAddress).length >= MAX_OF_ONE) return connection.destroy()
    connections.add(connection)
    connection.on("close", () => connections.delete(connection))
    connection.setTimeout(IDLE_MS, () => connection.destroy())
    // A client that goes away, or sends what cannot be answered, is none of ours.
    connection.on("error", () => connection.destroy())
    serve(connection, answer, asked, () => ending).then(() => connection.end(), () => connection.destroy())
  })
  server.maxConnections = MAX_CONNECTIONS
  return {
    server,
    end: (ended) => {
      ending = true
      const limit = setTimeout(() => { for (const connection of connections) connection.destroy() }, DRAIN_MS)
      server.close(() => {
        clearTimeout(limit)
        ended()
      })
      for (const connection of connections) if (!asked.has(connection)) connection.destroy()
    }
  }
}
