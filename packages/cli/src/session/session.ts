import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { type Ended, type ExecStream, type Start, STDIN_WINDOW, untilExit } from "@banger/capabilities/vsock/agent-client.ts"
import { GuestFrame, HostFrame } from "@banger/capabilities/vsock/agent-frames.ts"
import type { AgentUnreachable } from "@banger/capabilities/vsock/connect.ts"
import { SIGNAL_STATUS, TIMED_OUT } from "../failure/exit.ts"
import { onSignals, type Signal } from "../host/signals.ts"
import { write } from "../output/text.ts"
import { escapes } from "./escape.ts"
import { onResize, rawMode } from "./terminal.ts"

/** A second SIGINT within this time abandons the command. Milliseconds. */
const TWICE = 2_000
/** How long a command may take to obey a forwarded SIGTERM or SIGHUP, and how long past its timeout the guest may take to say so. */
const GRACE = "5 seconds"
const MAX_CHUNK = 256 << 10

const json = (value: unknown) => Buffer.from(JSON.stringify(value))

/** Passes the command's output on, frame by frame, until its exit. */
const output = (stream: ExecStream, room: Effect.Semaphore): Effect.Effect<Ended, AgentUnreachable> =>
  untilExit(stream, ({ payload, type }) => {
    switch (type) {
      case GuestFrame.stdout:
        return write(process.stdout, payload)
      case GuestFrame.stderr:
        return write(process.stderr, payload)
      case GuestFrame.taken:
        return Effect.asVoid(room.release(payload.length === 4 ? payload.readUInt32BE() : 0))
      default:
        return Effect.void
    }
  })

const endOfInput = (stream: ExecStream) => stream.send(HostFrame.stdin, Buffer.alloc(0))

/** Passes standard input on as fast as the command takes it. Succeeds when the user types `~.`, else never. */
const input = (stream: ExecStream, room: Effect.Semaphore, pty: boolean) =>
  Effect.gen(function*() {
    const chunks: AsyncIterator<Buffer> = process.stdin[Symbol.asyncIterator]()
    const typed = pty ? escapes() : (pass: Buffer) => ({ pass, leave: false })
    const end = { done: true, value: undefined } as const
    for (;;) {
      const next = yield* Effect.promise(() => chunks.next().catch(() => end))
      if (next.done === true) break
      const { leave, pass } = typed(next.value)
      for (let at = 0; at < pass.length; at += MAX_CHUNK) {
        const piece = pass.subarray(at, at + MAX_CHUNK)
        yield* room.take(piece.length)
        yield* stream.send(HostFrame.stdin, piece)
      }
      if (leave) return
    }
    yield* endOfInput(stream)
    return yield* Effect.never
  })

/** Forwards signals. Succeeds with a status when the user wants to be rid of the command. */
const signals = (stream: ExecStream, arrived: Queue.Dequeue<Signal>) =>
  Effect.gen(function*() {
    let interrupted = -Infinity
    for (;;) {
      const signal = yield* Queue.take(arrived)
      if (signal === "SIGINT" && performance.now() - interrupted < TWICE) return SIGNAL_STATUS[signal]
      if (signal === "SIGINT") interrupted = performance.now()
      yield* stream.send(HostFrame.signal, Buffer.from(signal.slice(3)))
      if (signal === "SIGINT") continue
      yield* Effect.timeoutOption(Queue.take(arrived), GRACE)
      return SIGNAL_STATUS[signal]
    }
  })

/**
 * Ties this process's standard files, signals and window to a command in the guest, until the command has ended or
 * the user leaves it. The caller's scope holds the connection: with it closed the guest hangs up what still runs.
 * Without `stdin` nothing is read here, and the command meets the end of its input at once.
 */
export const session = (stream: ExecStream, start: Start, stdin: boolean): Effect.Effect<Ended, AgentUnreachable> =>
  Effect.scoped(Effect.gen(function*() {
    const room = yield* Effect.makeSemaphore(STDIN_WINDOW)
    const left = yield* Deferred.make<Ended>()
    const leave = (status: number) => Deferred.succeed(left, { status, problem: "" })
    const arrived = yield* Queue.unbounded<Signal>()
    yield* onSignals((signal) => void arrived.unsafeOffer(signal))
    if (start.tty !== null) {
      if (stdin) yield* rawMode
      const sizes = yield* Queue.sliding<{ rows: number; cols: number }>(1)
      yield* onResize((size) => void sizes.unsafeOffer(size))
      yield* Queue.take(sizes).pipe(
        Effect.flatMap((size) => stream.send(HostFrame.size, json(size))), Effect.forever, Effect.ignore, Effect.forkScoped)
    }
    // What cannot be sent is not an error of its own: a command that has ended, or a guest that has gone, shows in the output.
    const passed = stdin ? Effect.flatMap(input(stream, room, start.tty !== null), () => leave(0)) : endOfInput(stream)
    yield* passed.pipe(Effect.ignore, Effect.forkScoped)
    yield* signals(stream, arrived).pipe(Effect.flatMap(leave), Effect.ignore, Effect.forkScoped)
    if (start.timeoutMs > 0) {
      yield* leave(TIMED_OUT).pipe(Effect.delay(start.timeoutMs), Effect.delay(GRACE), Effect.forkScoped)
    }
    return yield* Effect.raceFirst(output(stream, room), Deferred.await(left))
  }))
