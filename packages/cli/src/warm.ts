import { Duplex } from "node:stream"
import * as Effect from "effect/Effect"
import type { Command } from "./command-line/command.ts"
import { TREE } from "./command-line/tree.ts"
import { complete } from "./completion/complete.ts"
import { Connect } from "./daemon/connection.ts"
import { renderFailure } from "./failure/failure.ts"

/** One command that ends well on each way of printing, one that fails, one with flags of every kind, and what shells ask: what all commands share runs in them. */
const LINES = [["vm list", "--all"], ["vm list", "--json"], ["vm exec", "gone", "--", "true"], ["vm run", "--dry-run", "--nat", "--vcpu", "2", "-e", "WARM=1"], ["__complete", "vm", "stop", ""]] as const

const vm = {
  id: "0000000000000000", name: "warm", state: "running", reason: "", image: "warm", kernel: "warm", vcpu: 1, memoryMib: 1024, diskMib: 1024, nat: true,
  address: "172.16.0.2", dns: "warm.vm", createdAt: "1970-01-01T00:00:00.000Z", startedAt: null, uptimeMs: 0, ephemeral: false, autostart: false, run: null, vsock: "/warm"
}
const answerTo = (tag: string) =>
  tag === "vm.List" ? { _tag: "Success", value: [vm] } : { _tag: "Failure", cause: { _tag: "Fail", error: { _tag: "VmNotFound", ref: "gone" } } }

/** A daemon in memory: sockets cannot be kept in a snapshot. */
const daemon = (): Duplex => {
  const stream: Duplex = new Duplex({
    read() {},
    write(bytes: Buffer, _, done) {
      for (const line of bytes.toString().split("\n").filter(Boolean)) {
        const { _tag, id, tag } = JSON.parse(line)
        if (_tag === "Ping") stream.push(`{"_tag":"Pong"}\n`)
        if (_tag === "Request") stream.push(`${JSON.stringify({ _tag: "Exit", requestId: id, exit: answerTo(tag) })}\n`)
      }
      done()
    }
  })
  return stream
}

const nowhere = { write: (_: unknown, done?: () => void) => (done?.(), true) }

/**
 * Runs commands while the snapshot is built. V8 compiles a function when it first runs and Schema makes a parser when it first
 * parses: the snapshot keeps both. Compiling everything instead makes it larger, which costs more at each start.
 */
export const warm = async (): Promise<void> => {
  const stdout = Object.getOwnPropertyDescriptor(process, "stdout") as PropertyDescriptor
  Object.defineProperty(process, "stdout", { configurable: true, value: nowhere })
  for (const [path, ...words] of LINES) {
    const command: Pick<Command, "run"> | undefined = path === "__complete" ? complete : TREE.get(path)?.command
    if (command === undefined) throw new Error(`there is no command ${path}`)
    const run = command.run(words).pipe(
      Effect.catchAll((error) => Effect.sync(() => renderFailure(error, false))),
      Effect.provideService(Connect, daemon)
    )
    await Effect.runPromise(run)
  }
  Object.defineProperty(process, "stdout", stdout)
  // Node sets its one clock for the timer that ends first, and forgets a timer that was cleared only when the clock rings. In a
  // snapshot made before, the clock would never ring for what ends later than that timer would have.
  await new Promise((resolve) => setTimeout(resolve, 1))
}
