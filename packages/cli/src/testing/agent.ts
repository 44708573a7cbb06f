import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir, userInfo } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"

const NATIVE = new URL("../../../../native", import.meta.url).pathname

/** The real guest program, on a unix socket behind what Firecracker does for vsock: CONNECT, OK, then bytes. */
export interface TestAgent {
  readonly socket: string
  /** Where it can write. */
  readonly directory: string
  readonly user: string
  readonly stop: () => void
}

/** One of banger's programs, as a build has it. */
export const buildProgram = (name: string, into: string): string => {
  execFileSync("go", ["build", "-o", `${into}/${name}`, `./cmd/${name}`], { cwd: NATIVE, env: { ...process.env, CGO_ENABLED: "0" }, stdio: "pipe" })
  return `${into}/${name}`
}

/** `undefined` where there is no Go to build it with. */
export const buildAgent = (into: string): string | undefined => {
  const given = process.env["BANGER_GUEST"]
  if (given !== undefined) return given
  try {
    return buildProgram("banger-guest", into)
  } catch {
    return undefined
  }
}

const bridge = (agent: string) => Net.createServer((host) => {
  host.on("error", () => {})
  host.once("data", (greeting: Buffer) => {
    if (!/^CONNECT 1024\n$/.test(greeting.toString("latin1"))) return void host.destroy()
    const guest = Net.connect(agent, () => {
      host.write("OK 1073741824\n")
      host.pipe(guest).pipe(host)
    })
    guest.on("error", () => host.destroy())
    host.on("close", () => guest.destroy())
  })
})

/** `wrapper`: what to start it with, such as a namespace of its own. */
export const startAgent = async (program: string, wrapper: ReadonlyArray<string> = []): Promise<TestAgent> => {
  const directory = mkdtempSync(`${tmpdir()}/banger-agent-`)
  const [command = program, ...args] = [...wrapper, program, "serve", "--unix", `${directory}/agent.sock`]
  const child = spawn(command, args, { stdio: "ignore" })
  while (!existsSync(`${directory}/agent.sock`)) await sleep(5)
  const server = bridge(`${directory}/agent.sock`)
  await new Promise<void>((resolve) => server.listen(`${directory}/v.sock`, resolve))
  const stop = () => {
    server.close()
    child.kill("SIGKILL")
    rmSync(directory, { recursive: true, force: true })
  }
  return { socket: `${directory}/v.sock`, directory, user: userInfo().username, stop }
}
