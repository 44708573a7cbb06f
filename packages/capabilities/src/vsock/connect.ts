import { lstatSync } from "node:fs"
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The guest's agent cannot be reached, or broke off. */
export class AgentUnreachable extends Schema.TaggedError<AgentUnreachable>()("AgentUnreachable", {
  problem: Schema.String
}) {
  override get message() {
    return `the guest's agent does not answer: ${this.problem}`
  }
  get hint() {
    return "banger vm logs NAME shows the guest's console; banger vm restart NAME starts it anew"
  }
}

/** Longest answer to CONNECT that Firecracker gives: `OK 4294967295\n`. */
const MAX_ANSWER = 32

/**
 * A stream to a port in the guest, over Firecracker's socket. The VM can write in the socket's directory, so what lies
 * there must be a socket before we connect: a FIFO or a link to one would hang or lead elsewhere.
 */
export const connect = (socket: string, port: number): Effect.Effect<Net.Socket, AgentUnreachable> =>
  Effect.async((resume) => {
    const fail = (problem: string) => resume(Effect.fail(new AgentUnreachable({ problem })))
    const stat = lstatSync(socket, { throwIfNoEntry: false })
    if (stat === undefined) return fail("its VM is not running")
    if (!stat.isSocket()) return fail(`${socket} is not a socket`)
    const connection = Net.createConnection({ path: socket }, () => connection.write(`CONNECT ${port}\n`))
    connection.once("error", (error) => fail(error.message))
    connection.once("close", () => fail("the connection was closed"))
    let answer = Buffer.alloc(0)
    const read = () => {
      const chunk: Buffer | null = connection.read()
      if (chunk === null) return
      answer = Buffer.concat([answer, chunk])
      const end = answer.indexOf("\n")
      if (end === -1 && answer.length < MAX_ANSWER) return
      connection.off("readable", read)
      if (end === -1 || !answer.toString("latin1").startsWith("OK ")) {
        connection.destroy()
        return fail("Firecracker refused the connection")
      }
      connection.removeAllListeners("error").removeAllListeners("close")
      if (answer.length > end + 1) connection.unshift(answer.subarray(end + 1))
      resume(Effect.succeed(connection))
    }
    connection.on("readable", read)
    return Effect.sync(() => connection.destroy())
  })
