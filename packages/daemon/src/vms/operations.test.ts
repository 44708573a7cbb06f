import { assert, describe, it } from "@effect/vitest"
import { VmId } from "@banger/domain/ids.ts"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { makeOperations } from "../operations.ts"
import { type Emit, Operations } from "./operations.ts"

const one = { id: VmId.make("00000000000000a1"), name: "one" }
const two = { id: VmId.make("00000000000000a2"), name: "two" }
const note = (message: string) => ({ _tag: "Note" as const, message })
const messages = <A extends { readonly _tag: string }>(events: Chunk.Chunk<A>) => Chunk.toReadonlyArray(events).map((event) => "message" in event ? event.message : "")

describe("operations", () => {
  it.scoped("work outlives its watcher, a late one is told everything, and both share one run", () => Effect.gen(function*() {
    const operations = yield* Operations
    const gate = yield* Deferred.make<void>()
    let runs = 0
    const work = (emit: Emit) =>
      Effect.gen(function*() {
        runs += 1
        yield* emit(note("first"))
        yield* Deferred.await(gate)
        yield* emit(note("second"))
      })
    yield* Effect.flatMap(operations.run(one, "started", work), (events) => Stream.runDrain(Stream.take(events, 1)))
    const late = yield* Effect.fork(Stream.runCollect(yield* operations.run(one, "started", work)))
    yield* Effect.yieldNow()
    yield* Deferred.succeed(gate, undefined)
    assert.deepStrictEqual(messages(yield* Fiber.join(late)), ["first", "second"])
    assert.strictEqual(runs, 1)
    assert.isUndefined(operations.doing(one.id))
  }).pipe(Effect.provide(Operations.layer)))

  it.scoped("of requests that are truly simultaneous one begins, wherever the scheduler changes from one to the other", () => Effect.gen(function*() {
    for (let offset = 0; offset < 40; offset++) {
      const begun: Array<string> = []
      const gate = yield* Deferred.make<void>()
      const operations = yield* Operations
      const request = (doing: "started" | "deleted") =>
        Effect.forEach(Array.from({ length: offset }), () => Effect.void).pipe(
          Effect.zipRight(Effect.exit(operations.run(one, doing, () => Effect.zipRight(Effect.sync(() => begun.push(doing)), Deferred.await(gate))))),
          Effect.withMaxOpsBeforeYield(12)
        )
      yield* Effect.all([request("started"), request("deleted")], { concurrency: 2 })
      yield* Effect.yieldNow().pipe(Effect.repeat({ times: 20 }))
      assert.lengthOf(begun, 1, `a change after ${offset} more steps`)
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.yieldNow().pipe(Effect.repeat({ until: () => operations.doing(one.id) === undefined }))
    }
  }).pipe(Effect.provide(Operations.layer)))

  it.scoped("a late watcher is told everything but the counts that newer ones have replaced", () => Effect.gen(function*() {
    const operations = yield* makeOperations<string, string, number | string, never, string>({ busy: String, passing: (event) => typeof event === "number" })
    const gate = yield* Deferred.make<void>()
    const told = yield* Deferred.make<void>()
    const work = (emit: (event: number | string) => Effect.Effect<void>) =>
      Effect.gen(function*() {
        yield* emit("the log's path")
        for (let count = 0; count < 10_000; count++) yield* emit(count)
        yield* emit("next phase")
        for (let count = 0; count < 10_000; count++) yield* emit(count)
        yield* Deferred.succeed(told, undefined)
        yield* Deferred.await(gate)
      })
    const events = yield* operations.run({ id: "a", name: "a" }, "made", work)
    yield* Deferred.await(told)
    const fiber = yield* Effect.fork(Stream.runCollect(events))
    yield* Effect.yieldNow()
    yield* Deferred.succeed(gate, undefined)
    assert.deepStrictEqual([...yield* Fiber.join(fiber)], ["the log's path", 9_999, "next phase", 9_999])
    // One that comes when all is over hears the same, and the end.
    assert.deepStrictEqual([...yield* Stream.runCollect(events)], ["the log's path", 9_999, "next phase", 9_999])
  }))

  it.scoped("work has begun when it is asked for, whether anybody watches or not", () => Effect.gen(function*() {
    const operations = yield* Operations
    const done = yield* Deferred.make<void>()
    const events = yield* operations.run(one, "created", (emit) => Effect.zipRight(emit(note("made")), Effect.asVoid(Deferred.succeed(done, undefined))))
    yield* Deferred.await(done)
    assert.deepStrictEqual(messages(yield* Stream.runCollect(events)), ["made"])
  }).pipe(Effect.provide(Operations.layer)))

  it.scoped("another operation on a busy VM is refused by name; other VMs are not concerned", () => Effect.gen(function*() {
    const operations = yield* Operations
    yield* operations.begin(one, "stopped", () => Effect.never)
    const error = yield* Effect.flip(operations.run(one, "deleted", () => Effect.void))
    assert.strictEqual(error.message, "one is busy: being stopped")
    yield* Stream.runDrain(yield* operations.run(two, "deleted", () => Effect.void))
  }).pipe(Effect.provide(Operations.layer)))

  it.scoped("a failure reaches every watcher, and the VM is free again when they hear it", () => Effect.gen(function*() {
    const operations = yield* Operations
    const failing = () => Effect.exit(Effect.flatMap(operations.run(one, "started", () => Effect.fail(new Error("boom") as never)), Stream.runDrain))
    const [a, b] = yield* Effect.all([failing(), failing()])
    assert.strictEqual(a._tag, "Failure")
    assert.strictEqual(b._tag, "Failure")
    yield* Stream.runDrain(yield* operations.run(one, "deleted", () => Effect.void))
  }).pipe(Effect.provide(Operations.layer)))
})
