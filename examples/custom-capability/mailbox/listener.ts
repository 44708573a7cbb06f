import { chmodSync, closeSync, constants, fstatSync, openSync, rmSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import type { VmId } from "@banger/domain/ids.ts"
import { file, removeFile } from "@banger/capabilities/files.ts"
import { CannotRemove } from "@banger/capabilities/lease.ts"
import { DAEMON_STATE } from "@banger/capabilities/paths.ts"
import { MailboxFailed, Mailboxes } from "./contract.ts"

/** Bytes of one message. Every process of the guest can connect, so all that it may send is bounded. */
const MAX_LINE = 1_024
const MAX_CONNECTIONS = 8
const IDLE_MS = 10_000

/** A guest's text ends up on a terminal: printable characters only. */
const plain = (line: string) => line.replaceAll(/[^\x20-\x7e]/g, "?")

/** Reads one line, answers it with one, and is done with the connection. */
const converse = (connection: Net.Socket, answer: (line: string) => Promise<string>) => {
  let received = ""
  connection.setEncoding("latin1").setTimeout(IDLE_MS, () => connection.destroy()).on("error", () => connection.destroy())
  connection.on("data", (text: string) => {
    received += text
    const end = received.indexOf("\n")
    if (end === -1 && received.length <= MAX_LINE) return
    connection.pause()
    const said = end === -1 || end > MAX_LINE ? Promise.resolve("the message is too long") : answer(plain(received.slice(0, end)))
    void said.then((text) => connection.end(`${text}\n`), () => connection.destroy())
  })
}

/** Linux's O_PATH, which node:fs does not name: a descriptor of the file itself, of whatever kind. */
const O_PATH = 0o10_000_000

/**
 * Firecracker runs under the VM's uid and must be able to connect. The VM can write in the directory, too: so the mode
 * is set on the socket that was made, and not on whatever its path means by then.
 */
const openToAll = (socket: string) => {
  const made = openSync(socket, O_PATH | constants.O_NOFOLLOW)
  try {
    if (!fstatSync(made).isSocket()) throw new Error(`${socket} is not the socket that was made`)
    chmodSync(`/proc/self/fd/${made}`, 0o666)
  } finally {
    closeSync(made)
  }
}

const failed = (error: unknown) => new MailboxFailed({ problem: error instanceof Error ? error.message : String(error) })

const listen = (socket: string, answer: (line: string) => Promise<string>) =>
  Effect.gen(function*() {
    const open = new Set<Net.Socket>()
    const server = Net.createServer((connection) => {
      open.add(connection.once("close", () => void open.delete(connection)))
      converse(connection, answer)
    })
    server.maxConnections = MAX_CONNECTIONS
    // Left by a daemon that was killed.
    yield* Effect.try({ try: () => rmSync(socket, { force: true }), catch: failed })
    yield* Effect.acquireRelease(
      Effect.async<void, MailboxFailed>((resume) => {
        server.once("error", (error) => resume(failed(error)))
        server.listen({ path: socket }, () => resume(Effect.void))
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          open.forEach((connection) => connection.destroy())
        })
    )
    yield* Effect.try({ try: () => openToAll(socket), catch: failed })
  })

/** Mailboxes beside the records of their VMs, in directories that no VM can reach. */
export const layer = (directory = `${DAEMON_STATE}/vms`) => {
  const at = (vm: VmId) => `${directory}/${vm}`
  const mailbox = (vm: VmId) => `${at(vm)}/mailbox`

  /** Tells the guest what became of its message. */
  const deliver = (vm: VmId, line: string, maxBytes: number): Effect.Effect<string> =>
    file(mailbox(vm), async () => {
      const entry = `${new Date().toISOString()} ${line}\n`
      const { size } = await fs.stat(mailbox(vm))
      if (size + entry.length > maxBytes) return "the mailbox is full"
      await fs.appendFile(mailbox(vm), entry)
      return "ok"
    }).pipe(Effect.catchAll(({ message }) => Effect.as(Effect.logWarning(message), "the host cannot keep the message")))

  return Layer.succeed(Mailboxes, {
    file: mailbox,
    ensure: (vm) =>
      file(mailbox(vm), async () => {
        await fs.mkdir(at(vm), { recursive: true, mode: 0o700 })
        await fs.appendFile(mailbox(vm), "", { mode: 0o600 })
      }).pipe(Effect.mapError(failed)),
    remove: (vm) =>
      removeFile(at(vm), [mailbox(vm)]).pipe(Effect.mapError(({ message }) => new CannotRemove({ what: "mailbox", problem: message }))),
    serve: (vm, socket, maxBytes) =>
      Effect.gen(function*() {
        const run = Runtime.runPromise(yield* Effect.runtime<never>())
        // One at a time: the size is looked at before the message is written.
        const lock = yield* Effect.makeSemaphore(1)
        yield* listen(socket, (line) => run(lock.withPermits(1)(deliver(vm, line, maxBytes))))
      }),
    status: file(directory, () => fs.access(directory, constants.W_OK)).pipe(
      Effect.match({
        onSuccess: () => ({ directory, problem: null }),
        onFailure: ({ message }) => ({ directory, problem: message })
      })
    )
  })
}
