import { assert, describe, it } from "@effect/vitest"
import { VmId } from "@banger/domain/ids.ts"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
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
