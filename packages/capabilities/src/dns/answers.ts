import type { VmId } from "@banger/domain/ids.ts"
import * as dnsPacket from "dns-packet"
import type { Published } from "./contract.ts"
import { type Answer, MAX_QUERY } from "./tcp.ts"
import { answer, inZone, opcode } from "./zone.ts"
import { servfail } from "./forward.ts"

/** Queries of one guest that are under way to an upstream; each holds a socket for up to some seconds. */
const MAX_FORWARDS = 64

/** Queries of one client that are held in all, most of them for their turn: a message each in memory. */
const MAX_HELD = 1_024

/** How long a query waits for a VM to be found again, milliseconds: within what a client waits that asks twice, after 5 s. */
const PATIENCE_MS = 8_000

/** dns-packet throws at malformed input, and takes its time over a long one. */
const decode = (query: Buffer): dnsPacket.Packet | undefined => {
  if (query.length > MAX_QUERY) return undefined
  try {
    const packet = dnsPacket.decode(query)
    return packet.type === "query" ? packet : undefined
  } catch {
    return undefined
  }
}

/**
 * Only questions are passed on, and no transfers: the host's name server may trust the host's address, which is where
 * they come from, with an update of its zone.
 */
const forwardable = (query: dnsPacket.Packet): boolean => {
  const [question, ...more] = query.questions ?? []
  return question !== undefined && more.length === 0 && opcode(query) === 0 &&
    question.type !== "AXFR" && question.type !== "IXFR" && !inZone(question.name.toLowerCase())
}

/** So much at a time for each client, and the others in their order. */
const turns = (most: number) => {
  const clients = new Map<string, { running: number; readonly waiting: Array<() => void> }>()
  return async <A>(client: string, work: () => Promise<A>): Promise<A> => {
    const mine = clients.get(client) ?? { running: 0, waiting: [] }
    clients.set(client, mine)
    // Whoever is done passes its place on.
    if (mine.running < most) mine.running++
    else await new Promise<void>((mayBegin) => mine.waiting.push(mayBegin))
    try {
      return await work()
    } finally {
      const next = mine.waiting.shift()
      if (next !== undefined) next()
      else if (--mine.running === 0) clients.delete(client)
    }
  }
}

/**
 * What the name server knows, and what it says. Until `complete` not everything is published that exists, so a query that
 * would be answered with a no waits: for the record, or for `complete`.
 */
export const answering = (forward: (query: Buffer, tcp: boolean) => Promise<Buffer>, patienceMs = PATIENCE_MS) => {
  const byVm = new Map<VmId, Published>()
  const byName = new Map<string, Published>()
  const byAddress = new Map<string, Published>()
  const held = new Map<string, number>()
  const inTurn = turns(MAX_FORWARDS)
  let complete = false
  const sleeping = new Set<() => void>()
  const wake = () => { for (const waiter of sleeping) waiter() }
  const change = (ms: number) =>
    new Promise<void>((resolve) => {
      const woken = () => {
        clearTimeout(timer)
        sleeping.delete(woken)
        resolve()
      }
      const timer = setTimeout(woken, ms)
      sleeping.add(woken)
    })
  /** What `look` finds, now or once it is published; `absent` when it is known not to be there, `unknown` when that takes too long. */
  const known = async <A>(look: () => A | undefined, absent: () => A, unknown: () => A): Promise<A> => {
    const end = performance.now() + patienceMs
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      if (complete) return absent()
      const left = end - performance.now()
      if (left <= 0) return unknown()
      await change(left)
    }
  }

  const local = (raw: Buffer, query: dnsPacket.Packet): Promise<Buffer> =>
    known(
      () => {
        let missing = false
        const reply = answer(query, (label) => {
          const address = byName.get(label)?.address
          missing = address === undefined
          return address
        })
        return missing ? undefined : dnsPacket.encode(reply)
      },
      () => dnsPacket.encode(answer(query, () => undefined)),
      () => servfail(raw)
    )
  /** A flood of one client's costs that client its answers, not the others theirs. */
  const bounded = (answer: Answer): Answer => async (raw, from, tcp) => {
    const mine = held.get(from) ?? 0
    if (mine >= MAX_HELD) return undefined
    held.set(from, mine + 1)
    try {
      return await answer(raw, from, tcp)
    } finally {
      const left = (held.get(from) ?? 1) - 1
      if (left === 0) held.delete(from)
      else held.set(from, left)
    }
  }

  /** What is another VM's by now stays. */
  const withdraw = (vm: VmId): void => {
    const record = byVm.get(vm)
    if (record === undefined) return
    byVm.delete(vm)
    if (byName.get(record.name) === record) byName.delete(record.name)
    if (byAddress.get(record.address) === record) byAddress.delete(record.address)
  }

  return {
    /** The host's programs: the zone alone. */
    hosts: bounded(async (raw) => {
      const query = decode(raw)
      return query && local(raw, query)
    }),
    /** A guest, known by its address: other names as well, when it has NAT. */
    guests: bounded(async (raw, from, tcp) => {
      const query = decode(raw)
      if (query === undefined || !forwardable(query)) return query && local(raw, query)
      const guest = await known<Published | "nobody" | "unknown">(() => byAddress.get(from), () => "nobody", () => "unknown")
      if (guest === "unknown") return servfail(raw)
      if (guest === "nobody" || !guest.forward) return local(raw, query)
      return inTurn(from, () => forward(raw, tcp))
    }),
    publish: (record: Published): void => {
      withdraw(record.vm)
      byVm.set(record.vm, record)
      byName.set(record.name, record)
      byAddress.set(record.address, record)
      wake()
    },
    withdraw,
    complete: (): void => {
      complete = true
      wake()
    }
  }
}
