import { assert, describe, it } from "@effect/vitest"
import { VmId, VmName } from "@banger/domain/ids.ts"
import * as dnsPacket from "dns-packet"
import { answering } from "./answers.ts"

const GUEST = "172.16.0.2"
const web = { vm: VmId.make("a".repeat(16)), name: VmName.make("web"), address: GUEST, forward: true }
const other = { vm: VmId.make("b".repeat(16)), name: VmName.make("other"), address: "172.16.0.3", forward: true }
const ask = (name: string, id = 1) => dnsPacket.encode({ type: "query", id, questions: [{ type: "A", name, class: "IN" }] })
const code = (reply: Buffer | undefined) => reply && reply.readUInt16BE(2) & 15
const [NO_ERROR, SERVFAIL, NXDOMAIN, REFUSED] = [0, 2, 3, 5]
const upstream = Buffer.from("from the upstream")
const forward = () => Promise.resolve(upstream)
/** What has not been answered after everything that could happen at once has happened. */
const stillWaits = async (answer: Promise<unknown>) =>
  assert.strictEqual(await Promise.race([answer, new Promise((resolve) => setImmediate(() => resolve("waits")))]), "waits")

describe("a name server that does not know every VM yet", () => {
  it("a guest's query waits until the guest is found again, and is passed on", async () => {
    const dns = answering(forward)
    const answer = dns.guests(ask("example.com"), GUEST, false)
    await stillWaits(answer)
    dns.publish(web)
    assert.strictEqual(await answer, upstream)
  })

  it("a name waits for its VM, of a guest and of the host; other VMs' records do not end that", async () => {
    const dns = answering(forward)
    const answers = [dns.guests(ask("web.vm"), "172.16.0.9", false), dns.hosts(ask("web.vm"), "127.0.0.1", false)]
    dns.publish(other)
    for (const answer of answers) await stillWaits(answer)
    dns.publish(web)
    assert.deepStrictEqual((await Promise.all(answers)).map(code), [NO_ERROR, NO_ERROR])
  })

  it("what no VM has once all are known is refused, or said not to be there", async () => {
    const dns = answering(forward)
    const answers = [dns.guests(ask("example.com"), GUEST, false), dns.guests(ask("web.vm"), GUEST, false)]
    for (const answer of answers) await stillWaits(answer)
    dns.complete()
    assert.deepStrictEqual((await Promise.all(answers)).map(code), [REFUSED, NXDOMAIN])
    assert.strictEqual(code(await dns.hosts(ask("nobody.vm"), "127.0.0.1", false)), NXDOMAIN)
  })

  it("what is not known in time is a failure that the client asks again, never a no", async () => {
    const dns = answering(forward, 20)
    assert.deepStrictEqual((await Promise.all([dns.guests(ask("example.com"), GUEST, false), dns.guests(ask("web.vm"), GUEST, false)])).map(code), [SERVFAIL, SERVFAIL])
  })

  it("what needs no VM is answered at once", async () => {
    const dns = answering(forward)
    assert.strictEqual(code(await dns.hosts(ask("example.com"), "127.0.0.1", false)), REFUSED)
    assert.strictEqual(code(await dns.hosts(ask("vm"), "127.0.0.1", false)), NO_ERROR)
    dns.publish({ ...web, forward: false })
    assert.strictEqual(code(await dns.guests(ask("example.com"), GUEST, false)), REFUSED)
  })
})

describe("a VM's record", () => {
  const known = () => {
    const dns = answering(forward)
    dns.publish(web)
    dns.complete()
    return dns
  }
  const has = async (dns: ReturnType<typeof known>, name: string) => code(await dns.hosts(ask(`${name}.vm`), "127.0.0.1", false)) === NO_ERROR

  it("that is made anew has one name at any moment, and the end of the VM takes that one", async () => {
    const dns = known()
    dns.publish({ ...web, name: VmName.make("site") })
    assert.deepStrictEqual([await has(dns, "web"), await has(dns, "site"), await dns.guests(ask("example.com"), GUEST, false)], [false, true, upstream])
    dns.withdraw(web.vm)
    assert.deepStrictEqual([await has(dns, "site"), code(await dns.guests(ask("example.com"), GUEST, false))], [false, REFUSED])
  })

  it("that lost NAT passes nothing on", async () => {
    const dns = known()
    dns.publish({ ...web, forward: false })
    assert.strictEqual(code(await dns.guests(ask("example.com"), GUEST, false)), REFUSED)
  })

  it("leaves alone what another VM has by now: the name it had, or its address", async () => {
    const dns = known()
    dns.publish({ ...web, name: VmName.make("site") })
    dns.publish({ ...other, name: VmName.make("web") })
    dns.withdraw(web.vm)
    assert.deepStrictEqual([await has(dns, "web"), await has(dns, "site")], [true, false])
    dns.publish({ ...web, address: other.address })
    dns.withdraw(other.vm)
    assert.deepStrictEqual([await has(dns, "web"), await dns.guests(ask("example.com"), other.address, false)], [true, upstream])
    dns.withdraw(other.vm)
  })
})

describe("many queries", () => {
  it("of one guest are passed on 64 at a time, none lost; what is beyond 1,024 is dropped, and another guest's are not", async () => {
    const under: Array<() => void> = []
    let most = 0
    const dns = answering(() => {
      const done = new Promise<Buffer>((resolve) => under.push(() => resolve(upstream)))
      most = Math.max(most, under.length)
      return done
    })
    dns.publish(web)
    dns.publish(other)
    const answers = Array.from({ length: 1_100 }, () => dns.guests(ask("example.com"), GUEST, false))
    const beside = dns.guests(ask("example.com"), other.address, false)
    let answered = 0
    for (const answer of answers) void answer.then((reply) => { if (reply !== undefined) answered++ })
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    for (await turn(); under.length > 0; await turn()) for (const done of under.splice(0)) done()
    assert.strictEqual((await Promise.all(answers)).filter((reply) => reply === undefined).length, 1_100 - 1_024)
    assert.strictEqual(answered, 1_024)
    assert.strictEqual(most, 64 + 1)
    assert.strictEqual(await beside, upstream)
  })

  it("a thousand that waited for a guest are all passed on", async () => {
    const dns = answering(forward)
    const answers = Array.from({ length: 1_000 }, (_, id) => dns.guests(ask("example.com", id), GUEST, false))
    await stillWaits(answers[999] as Promise<unknown>)
    dns.publish(web)
    assert.strictEqual((await Promise.all(answers)).filter((reply) => reply === upstream).length, 1_000)
  })
})
