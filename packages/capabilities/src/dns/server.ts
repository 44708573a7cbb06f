import * as Dgram from "node:dgram"
import type { AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { type Cidr, dnsLinkAddress, gateway } from "@banger/domain/network.ts"
import { descriptors } from "../activated-socket.ts"
import { answering } from "./answers.ts"
import { Dns } from "./contract.ts"
import { forwarder } from "./forward.ts"
import { GUEST_DNS_PORT, HOST_DNS_PORT } from "./ports.ts"
import { type Answer, DRAIN_MS, tcpServer } from "./tcp.ts"

/** A socket that systemd passed, or one to be bound. */
type Place = { readonly fd: number } | { readonly address: string; readonly port: number }

/** Gives the address that it has. Its end waits for the answers that are under way. */
export const udp = (place: Place, answer: Answer) =>
  Effect.acquireRelease(
    Effect.async<{ readonly at: AddressInfo; readonly end: (ended: () => void) => void }, Error>((resume) => {
      const socket = Dgram.createSocket("udp4")
      let answering = 0
      let idle = () => {}
      // Also after it is bound: an answer that cannot be sent is an error of the socket, and none of ours.
      socket.on("error", (error) => resume(Effect.fail(error)))
      socket.on("message", (query, { address: from, port: fromPort }) => {
        // A guest chooses its source port; Node throws at 0.
        if (fromPort === 0) return
        answering++
        // Sent is an answer only when its callback comes: a socket that is closed before drops it.
        const done = () => { if (--answering === 0) idle() }
        answer(query, from, false).then((reply) => reply === undefined ? done() : socket.send(reply, fromPort, from, done)).catch(done)
      })
      // What was read and not answered would be lost, what was not read stays in the socket: the end is when nothing is under way.
      const end = (ended: () => void) => {
        const limit = setTimeout(() => idle(), DRAIN_MS)
        idle = () => {
          clearTimeout(limit)
          idle = () => {}
          socket.close(ended)
        }
        if (answering === 0) idle()
      }
      const bound = () => resume(Effect.succeed({ at: socket.address(), end }))
      if ("fd" in place) socket.bind(place, bound)
      else socket.bind(place.port, place.address, bound)
    }),
    ({ end }) => Effect.async<void>((resume) => end(() => resume(Effect.void)))
  )

const tcp = (place: Place, answer: Answer) =>
  Effect.acquireRelease(
    Effect.async<{ readonly at: AddressInfo; readonly end: (ended: () => void) => void }, Error>((resume) => {
      const { end, server } = tcpServer(answer)
      // Also once it listens: with no descriptor left a connection cannot be taken, which must not end the daemon.
      server.on("error", (error) => resume(Effect.fail(error)))
      const bound = () => resume(Effect.succeed({ at: server.address() as AddressInfo, end }))
      if ("fd" in place) server.listen(place, bound)
      else server.listen(place.port, place.address, bound)
    }),
    ({ end }) => Effect.async<void>((resume) => end(() => resume(Effect.void)))
  )

/** The names of the units' descriptors: one for UDP, one for TCP each. */
const HOSTS = "dns"
const GUESTS = "dns-guests"
const LINK = "dns-link"

/**
 * The daemon's name server. On 127.0.0.1, and on the link banger-dns for systemd-resolved, it answers the zone alone; on the
 * bridge's address, where guests ask, it also passes other names on to the host's upstreams, for guests that have NAT. systemd
 * holds its sockets (bangerd-dns.socket, bangerd-dns-guests.socket, bangerd-dns-link.socket); what it does not hold is bound
 * here, but for the link's, since a host without systemd-resolved has no such link. A port that is taken is tried again: a VM
 * does not need its name to run.
 */
export const layer = (network: Effect.Effect<Cidr>, hostPort = HOST_DNS_PORT) =>
  Layer.scoped(Dns, Effect.gen(function*() {
    const answers = answering(yield* forwarder())
    const bound = new Map<string, { readonly held: boolean }>()
    const failed = new Map<string, string>()
    // Beside each other: each end takes up to DRAIN_MS.
    const sockets = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.parallel)

    const listen = (place: Place, protocol: "udp" | "tcp", answer: Answer) => {
      const wanted = "fd" in place ? `${protocol} of systemd` : `${place.address}:${place.port}/${protocol}`
      return (protocol === "udp" ? udp(place, answer) : tcp(place, answer)).pipe(
        Effect.tapBoth({
          onSuccess: ({ at }) => Effect.sync(() => { bound.set(`${at.address}:${at.port}/${protocol}`, { held: "fd" in place }); failed.delete(wanted) }),
          onFailure: (error) => Effect.sync(() => failed.set(wanted, `${wanted}: ${error.message}`))
        }),
        Effect.map(({ at }) => at.address),
        Effect.retry(Schedule.spaced("2 seconds")),
        Scope.extend(sockets)
      )
    }
    const each = (protocol: "udp" | "tcp", fd: number | undefined, address: Effect.Effect<string>, port: number, answer: Answer) =>
      Effect.gen(function*() {
        const own = Effect.flatMap(address, (address) => listen({ address, port }, protocol, answer))
        if (fd === undefined) return yield* own
        const [held, wanted] = yield* Effect.all([listen({ fd }, protocol, answer), address])
        if (held === wanted) return
        failed.set(`held ${held}/${protocol}`, `systemd holds ${held}:${port}/${protocol}, which is asked at ${wanted} since network.cidr was changed`)
        yield* own
      }).pipe(Effect.forkIn(sockets))
    for (const [name, address, port, answer] of [
      [HOSTS, Effect.succeed("127.0.0.1"), hostPort, answers.hosts],
      [GUESTS, Effect.map(network, gateway), GUEST_DNS_PORT, answers.guests],
      [LINK, Effect.map(network, dnsLinkAddress), HOST_DNS_PORT, answers.hosts]
    ] as const) {
      const [datagrams, connections] = descriptors(name)
      if (name === LINK && datagrams === undefined) continue
      yield* each("udp", datagrams, address, port, answer)
      yield* each("tcp", connections, address, port, answer)
    }

    return {
      publish: (record) => Effect.sync(() => answers.publish(record)),
      withdraw: (vm) => Effect.sync(() => answers.withdraw(vm)),
      complete: Effect.sync(answers.complete),
      close: Scope.close(sockets, Exit.void),
      status: Effect.sync(() => ({
        bound: [...bound.keys()],
        failed: [...failed.values()],
        held: [...bound.values()].every(({ held }) => held)
      }))
    }
  }))
