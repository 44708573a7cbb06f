import * as Dgram from "node:dgram"
import * as dnsPacket from "dns-packet"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Dns, type Published } from "./contract.ts"
import { GUEST_DNS_PORT, HOST_DNS_PORT } from "./ports.ts"
import { forwarder } from "./forward.ts"
import { type Answer, MAX_QUERY, tcpServer } from "./tcp.ts"
import { answer, inZone, opcode } from "./zone.ts"

/** Queries of one guest that may be under way to an upstream; each holds a socket for up to some seconds. */
const MAX_FORWARDS = 64

const udp = (address: string, port: number, answer: Answer) =>
  Effect.acquireRelease(
    Effect.async<Dgram.Socket, Error>((resume) => {
      const socket = Dgram.createSocket("udp4")
      // Also after it is bound: an answer that cannot be sent is an error of the socket, and none of ours.
      socket.on("error", (error) => resume(Effect.fail(error)))
      socket.on("message", (query, { address: from, port: fromPort }) => {
        // A guest chooses its source port; Node throws at 0.
        if (fromPort === 0) return
        answer(query, from, false).then(
          (reply) => reply && socket.send(reply, fromPort, from, () => {}),
          () => {}
        )
      })
      socket.bind(port, address, () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.async<void>((resume) => void socket.close(() => resume(Effect.void)))
  )

const tcp = (address: string, port: number, answer: Answer) =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof tcpServer>, Error>((resume) => {
      const made = tcpServer(answer)
      // Also once it listens: with no descriptor left a connection cannot be taken, which must not end the daemon.
      made.server.on("error", (error) => resume(Effect.fail(error)))
      made.server.listen(port, address, () => resume(Effect.succeed(made)))
    }),
    ({ end }) => Effect.async<void>((resume) => end(() => resume(Effect.void)))
  )

/** dns-packet throws at malformed input, and takes its time over a long one. */
const decode = (query: Buffer): dnsPacket.Packet | undefined => {
  if (query.length > MAX_QUERY) return undefined
  try {
    return dnsPacket.decode(query)
  } catch {
    return undefined
  }
}

/**
 * Only questions are passed on, and no transfers: the host's name server may trust the host's address, which is where
 * they come from, with an update of its zone.
 */
const forwardable = (query: dnsPacket.Packet, { name, type }: dnsPacket.Question) =>
  opcode(query) === 0 && type !== "AXFR" && type !== "IXFR" && !inZone(name.toLowerCase())

/**
 * The daemon's name server. On 127.0.0.1 it answers the zone alone; on the bridge's address, where guests ask, it also
 * passes other names on to the host's upstreams, for guests that have NAT. Ports that are taken are tried again: the
 * bridge may come later, and a VM does not need its name to run.
 */
export const layer = (bridge: Effect.Effect<string>) =>
  Layer.scoped(Dns, Effect.gen(function*() {
    const byName = new Map<string, Published>()
    const byAddress = new Map<string, Published>()
    const bound = new Set<string>()
    const failed = new Map<string, string>()
    const forwarding = new Map<string, number>()
    const forward = yield* forwarder()

    const local = (query: dnsPacket.Packet) => dnsPacket.encode(answer(query, (label) => byName.get(label)?.address))
    const hosts: Answer = async (raw) => {
      const query = decode(raw)
      return query?.type === "query" ? local(query) : undefined
    }
    const guests: Answer = async (raw, from, overTcp) => {
      const query = decode(raw)
      if (query?.type !== "query") return undefined
      const [question, ...more] = query.questions ?? []
      const mayForward = byAddress.get(from)?.forward === true && question !== undefined && more.length === 0 && forwardable(query, question)
      if (!mayForward) return local(query)
      const pending = forwarding.get(from) ?? 0
      if (pending >= MAX_FORWARDS) return undefined
      forwarding.set(from, pending + 1)
      try {
        return await forward(raw, overTcp)
      } finally {
        forwarding.set(from, (forwarding.get(from) ?? 1) - 1)
      }
    }

    const listen = (address: string, port: number, protocol: "udp" | "tcp", answering: Answer) => {
      const name = `${address}:${port}/${protocol}`
      const bind = protocol === "udp" ? Effect.asVoid(udp(address, port, answering)) : Effect.asVoid(tcp(address, port, answering))
      return bind.pipe(
        Effect.tapBoth({
          onSuccess: () => Effect.sync(() => { bound.add(name); failed.delete(name) }),
          onFailure: (error) => Effect.sync(() => failed.set(name, `${name}: ${error.message}`))
        }),
        Effect.retry(Schedule.spaced("2 seconds")),
        Effect.forkScoped
      )
    }
    yield* listen("127.0.0.1", HOST_DNS_PORT, "udp", hosts)
    yield* listen("127.0.0.1", HOST_DNS_PORT, "tcp", hosts)
    yield* Effect.forkScoped(Effect.flatMap(bridge, (address) =>
      Effect.zipRight(listen(address, GUEST_DNS_PORT, "udp", guests), listen(address, GUEST_DNS_PORT, "tcp", guests))))

    return {
      publish: (record) => Effect.sync(() => { byName.set(record.name, record); byAddress.set(record.address, record) }),
      withdraw: ({ address, name }) =>
        Effect.sync(() => {
          if (byName.get(name)?.address === address) byName.delete(name)
          if (byAddress.get(address)?.name === name) byAddress.delete(address)
        }),
      status: Effect.sync(() => ({ bound: [...bound], failed: [...failed.values()] }))
    }
  }))
