import * as Net from "node:net"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { VmId } from "@banger/domain/ids.ts"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as TestClock from "effect/TestClock"
import { HelperUnreachable } from "@banger/domain/errors.ts"
import { Helper, reaching } from "./helper.ts"
import { removing } from "./lease.ts"
import { temporary } from "./testing/temporary.ts"

/** A helper that took the call and never answers. */
const client = reaching({ helper: { Hello: () => Effect.never }, dm: { Ensure: () => Effect.never }, store: { Ingest: () => Effect.never } })

describe("a helper that does not answer", () => {
  it.effect("is given up in time, by name, but for work whose length depends on bytes", () => Effect.gen(function*() {
    const calls = yield* Effect.forEach([client.helper.Hello(), client.dm.Ensure(), client.store.Ingest()] as ReadonlyArray<Effect.Effect<never, { readonly message: string }>>, (call) => Effect.fork(Effect.flip(call)))
    const ended = Effect.forEach(calls, (call) => Effect.map(Fiber.poll(call), (exit) => exit._tag === "Some"))
    yield* TestClock.adjust("29 seconds")
    assert.deepStrictEqual(yield* ended, [false, false, false])
    yield* TestClock.adjust("2 seconds")
    assert.deepStrictEqual(yield* ended, [true, false, false])
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual(yield* ended, [true, true, false])
    assert.include((yield* Fiber.join(calls[1] ?? assert.fail())).message, "dm.Ensure takes longer than 90 seconds")
    yield* Fiber.interruptAll(calls)
  }))

  it.effect("is waited for once, however many removals come one after the other", () => Effect.gen(function*() {
    let calls = 0
    const away = reaching({ dm: { Remove: () => Effect.suspend(() => Effect.fail(new HelperUnreachable({ problem: `call ${calls += 1}` }))) } })
    const removals = yield* Effect.fork(Effect.forEach(["dm", "tap", "nat", "unit"], (what) => Effect.flip(removing(what, away.dm.Remove()))))
    yield* TestClock.adjust("33 seconds")
    assert.strictEqual((yield* Fiber.join(removals)).length, 4)
    assert.isAbove(calls, 10)
  }))
})

describe("a call of the helper", () => {
  it.effect("is a line of the log's level debug, with what became of it", () => Effect.gen(function*() {
    const lines: Array<Record<string, unknown>> = []
    const listener = Logger.make(({ annotations, logLevel, message }) => void lines.push({ message: [message].flat()[0], level: logLevel.label, ...Object.fromEntries(annotations) }))
    const answering = reaching({ tap: { List: () => Effect.succeed([]), Warm: () => Effect.fail(new HelperUnreachable({ problem: "not running" })) } })
    const calls = Effect.zipRight(answering.tap.List(), Effect.flip(answering.tap.Warm()))
    yield* calls.pipe(Logger.withMinimumLogLevel(LogLevel.Info), Effect.provide(Logger.replace(Logger.defaultLogger, listener)))
    assert.deepStrictEqual(lines, [])
    yield* calls.pipe(Logger.withMinimumLogLevel(LogLevel.Debug), Effect.provide(Logger.replace(Logger.defaultLogger, listener)))
    assert.deepStrictEqual(lines.map(({ level, message, op }) => [level, message, op]), [["DEBUG", "root helper", "tap.List"], ["DEBUG", "root helper", "tap.Warm"]])
    assert.strictEqual(lines[0]?.["result"], "ok")
    assert.match(String(lines[1]?.["result"]), /not running/)
  }))
})

describe("a helper that restarts", () => {
  /** A helper that answers the first `calls` calls on each connection, and breaks the connection at the next. */
  const serve = (socket: string, calls: number, asked: Array<string> = []) =>
    Effect.acquireRelease(
      Effect.async<Net.Server>((resume) => {
        const server = Net.createServer((connection) => {
          let answered = 0
          connection.on("error", () => connection.destroy())
          connection.on("data", (chunk) => {
            for (const line of String(chunk).trim().split("\n")) {
              const { _tag, id } = JSON.parse(line) as { readonly _tag: string; readonly id: string }
              if (_tag !== "Request") continue
              asked.push(id)
              if (answered++ === calls) return void connection.destroy()
              connection.write(`${JSON.stringify({ _tag: "Exit", requestId: id, exit: { _tag: "Success", value: [] } })}\n`)
            }
          })
        }).listen(socket, () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => void server.close())
    )

  const known = { known: { estates: [], running: [], objects: [], stored: [] } }
  const vm = VmId.make("1".repeat(16))

  it.scopedLive("answers what only looks, however often it went away in the middle", () => Effect.gen(function*() {
    const socket = path.join(yield* temporary, "helper.sock")
    yield* serve(socket, 1)
    const { helper } = yield* Effect.provide(Helper, yield* Layer.build(Helper.layer(socket)))
    for (let call = 0; call < 4; call++) assert.deepStrictEqual(yield* helper.Leaks(known), [])
  }))

  it.scopedLive("is asked once to change something: what breaks in the middle fails, what was not sent waits", () => Effect.gen(function*() {
    const socket = path.join(yield* temporary, "helper.sock")
    const asked: Array<string> = []
    yield* serve(socket, 0, asked)
    const { vsock } = yield* Effect.provide(Helper, yield* Layer.build(Helper.layer(socket)))
    const failures = yield* Effect.forEach([1, 2, 3], () => Effect.flip(vsock.Remove({ vm })))
    assert.deepStrictEqual(failures.map(({ message }) => message), Array.from({ length: 3 }, () => "the root helper does not answer: went away"))
    assert.strictEqual(asked.length, 3)
  }))

  it.scopedLive("has no socket: nobody waits", () => Effect.gen(function*() {
    const socket = path.join(yield* temporary, "helper.sock")
    const { helper, vsock } = yield* Effect.provide(Helper, yield* Layer.build(Helper.layer(socket)))
    const [took, messages] = yield* Effect.timed(Effect.all([Effect.flip(helper.Leaks(known)), Effect.flip(vsock.Remove({ vm }))]))
    assert.isBelow(Duration.toMillis(took), 2_000)
    assert.deepStrictEqual(messages.map(({ message }) => message), Array.from({ length: 2 }, () => "the root helper does not answer: not running"))
  }))
})
