import type { Answer, Packet } from "dns-packet"

/** Seconds; a VM's address can change with the next VM of that name. */
export const TTL = 5

export const ZONE = "vm"
const NEGATIVE_TTL = 1

/** AA. RA stays unset: the zone is all that is known here, and what is passed on comes back as the upstream wrote it. */
const AUTHORITATIVE = 1 << 10
const NXDOMAIN = 3
const REFUSED = 5
const FORMERR = 1
const NOTIMP = 4

/** What the zone's SOA names as its primary: who gets this answer has asked banger. */
export const PRIMARY = "banger.vm"

const soa: Answer = {
  name: ZONE,
  type: "SOA",
  ttl: NEGATIVE_TTL,
  data: { mname: PRIMARY, rname: "hostmaster.vm", serial: 1, refresh: 3600, retry: 600, expire: 86_400, minimum: NEGATIVE_TTL }
}

export const inZone = (name: string): boolean => name === ZONE || name.endsWith(`.${ZONE}`)

/** 0 is a question; the others (an update of a zone, a notification of one) are none. */
export const opcode = ({ flags }: Packet): number => (flags ?? 0) >> 11 & 15

const reply = (query: Packet, rcode: number, rest: Partial<Packet> = {}): Packet => ({
  type: "response",
  id: query.id ?? 0,
  // dns-packet writes the rcode from the low bits of the flags; RD is copied as the query had it.
  flags: (rest.answers !== undefined || rest.authorities !== undefined ? AUTHORITATIVE : 0) | ((query.flags ?? 0) & (1 << 8)) | rcode,
  questions: query.questions ?? [],
  ...rest
})

/**
 * Answers a query for the zone `vm`; `lookup` knows the addresses. Other names are refused: this is no resolver. The
 * names `<vm>.vm` and anything below one have the VM's address, so that a guest's virtual hosts work.
 */
export const answer = (query: Packet, lookup: (label: string) => string | undefined): Packet => {
  const [question, ...more] = query.questions ?? []
  // The questions are left out: thousands fit into one message.
  if (question === undefined || more.length > 0) return reply(query, FORMERR, { questions: [] })
  if (opcode(query) !== 0) return reply(query, NOTIMP)
  const name = question.name.toLowerCase()
  if (!inZone(name)) return reply(query, REFUSED)
  if (name === ZONE) return question.type === "SOA" ? reply(query, 0, { answers: [soa] }) : reply(query, 0, { authorities: [soa] })
  const address = lookup(name.split(".").at(-2) ?? "")
  if (address === undefined) return reply(query, NXDOMAIN, { authorities: [soa] })
  return question.type === "A"
    ? reply(query, 0, { answers: [{ name: question.name, type: "A", ttl: TTL, data: address }] })
    : reply(query, 0, { authorities: [soa] })
}
