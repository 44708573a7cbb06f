import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { VmView } from "@banger/domain/vm.ts"
import { buildAgent, startAgent, type TestAgent } from "../../testing/agent.ts"
import { shipped, start } from "../../testing/command-line.ts"
import { type FakeDaemon, startFakeDaemon, view } from "../../testing/fake-daemon.ts"

const work = mkdtempSync(`${tmpdir()}/banger-ports-`)
const program = buildAgent(work)
let agent: TestAgent
let daemon: FakeDaemon
let banger: ReadonlyArray<string>
const servers: Array<Net.Server> = []

const listening = async (server: Net.Server) => {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return (server.address() as Net.AddressInfo).port
}

beforeAll(async () => {
  if (program === undefined) return
  banger = await shipped()
  agent = await startAgent(program)
  daemon = await startFakeDaemon(`${work}/bangerd.sock`, agent.socket, { consoleLog: "" })
  // The agent is on this machine, and so are its ports.
  daemon.vms.push(new VmView({ ...view("here", agent.socket), address: "127.0.0.1" }))
}, 120_000)
afterAll(async () => {
  for (const server of servers) server.close()
  agent?.stop()
  await daemon?.stop()
  rmSync(work, { recursive: true, force: true })
})

const certificate = () => {
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x", "-keyout", `${work}/key`, "-out", `${work}/cert`], { stdio: "ignore" })
  return { key: readFileSync(`${work}/key`), cert: readFileSync(`${work}/cert`) }
}

describe.skipIf(program === undefined)("vm ports", () => {
  it("tells what listens and whose it is, where a browser finds it, and waits for nobody who says nothing", { timeout: 60_000 }, async () => {
    const plain = await listening(Http.createServer((_, answer) => answer.writeHead(404).end()))
    const silent = await listening(Net.createServer((socket) => socket.on("error", () => {})))
    const endless = await listening(Net.createServer((socket) => {
      socket.on("error", () => {}).write("HTTP/1.1 200 OK\r\n")
      const more = setInterval(() => socket.write(`x: ${"y".repeat(4096)}\r\n`), 5)
      socket.on("close", () => clearInterval(more))
    }))
    const secure = spawnSync("openssl", ["version"]).status === 0 ? await listening(Https.createServer(certificate(), (_, answer) => answer.end())) : undefined
    const { status, stderr, stdout } = await start([...banger, "vm", "ports", "here", "--json"], { BANGER_SOCKET: `${work}/bangerd.sock` }).ended
    assert.deepStrictEqual([status, stderr], [0, ""])
    const found: ReadonlyArray<{ port: number; pid: number; url: string | null; protocol: string }> = JSON.parse(stdout)
    const of = (wanted: number | undefined) => found.filter(({ port, protocol }) => port === wanted && protocol === "tcp").map(({ pid, url }) => [pid, url])
    assert.deepStrictEqual([plain, silent, endless].map(of), [[[process.pid, `http://127.0.0.1:${plain}/`]], [[process.pid, null]], [[process.pid, null]]])
    if (secure !== undefined) assert.deepStrictEqual(of(secure), [[process.pid, `https://127.0.0.1:${secure}/`]])
    const table = await start([...banger, "vm", "ports", "here"], { BANGER_SOCKET: `${work}/bangerd.sock` }).ended
    assert.match(table.stdout, new RegExp(`^${plain}/tcp +127\\.0\\.0\\.1 +${process.pid} +http://127\\.0\\.0\\.1:${plain}/ `, "m"))
  })
})
