import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { VmId } from "@banger/domain/ids.ts"
import { AgentRefused } from "../vsock/agent-client.ts"
import { AgentUnreachable } from "../vsock/connect.ts"
import { Clocks } from "./contract.ts"
import { layerOf, type Times } from "./watch.ts"

const one = VmId.make("00000000000000a1")
const two = VmId.make("00000000000000b2")

/** A host whose clocks a test moves, and guests that note what they are told. */
const host = () => {
  const told: Array<readonly [VmId, number]> = []
  const now = { wall: 1_700_000_000_000, monotonic: 5_000, silent: new Set<VmId>(), old: new Set<VmId>() }
  const times: Times = {
    wall: () => now.wall,
    monotonic: () => now.monotonic,
    set: (vm, unixMs) =>
      Effect.suspend((): Effect.Effect<void, AgentUnreachable | AgentRefused> => {
        told.push([vm, unixMs])
        if (now.silent.has(vm)) return new AgentUnreachable({ problem: "paused" })
        return now.old.has(vm) ? new AgentRefused({ status: 404, problem: "no such request" }) : Effect.void
      })
  }
  /** Seconds that pass, and by how many milliseconds the wall clock goes beyond them. */
  const pass = (seconds: number, jump = 0) =>
    Effect.suspend(() => {
      now.monotonic += seconds * 1000
      now.wall += seconds * 1000 + jump
      return TestClock.adjust(`${seconds} seconds`)
    })
  return { now, pass, times, told, layer: layerOf(times) }
}

describe("guests' clocks", () => {
  it.effect("are set once when a VM is attached, and again when the host's jumps either way", () => {
    const { layer, now, pass, told } = host()
    return Effect.gen(function*() {
      const clocks = yield* Clocks
      yield* clocks.attach(one)
      yield* clocks.attach(two)
      yield* pass(5)
      assert.deepStrictEqual(told.map(([vm]) => vm), [one, two])
      yield* pass(1, 7_200_000)
      assert.deepStrictEqual(told.slice(2), [[one, now.wall], [two, now.wall]])
      yield* pass(30)
      yield* pass(1, -14_400_000)
      assert.deepStrictEqual(told.slice(4), [[one, now.wall], [two, now.wall]])
      yield* pass(30, 150)
      assert.strictEqual(told.length, 6)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("are set when small steps add up, and from time to time for what no step shows", () => {
    const { layer, pass, told } = host()
    return Effect.gen(function*() {
      yield* Effect.flatMap(Clocks, (clocks) => clocks.attach(one))
      yield* pass(1)
      for (const step of [90, 90, 90]) yield* pass(1, step)
      assert.strictEqual(told.length, 2)
      yield* pass(601)
      assert.strictEqual(told.length, 3)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("of guests that do not answer are set once they do; agents without the call are asked no more", () => {
    const { layer, now, pass, told } = host()
    now.silent.add(one)
    now.old.add(two)
    return Effect.gen(function*() {
      const clocks = yield* Clocks
      yield* clocks.attach(one)
      yield* clocks.attach(two)
      yield* pass(1)
      yield* pass(1)
      assert.strictEqual(told.filter(([vm]) => vm === two).length, 1)
      assert.isAbove(told.filter(([vm]) => vm === one).length, 1)
      now.silent.clear()
      yield* pass(1)
      const answered = told.length
      yield* pass(5)
      assert.strictEqual(told.length, answered)
      yield* clocks.follow(one)
      assert.strictEqual(told.length, answered + 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("are let be once the VM is detached", () => {
    const { layer, pass, told } = host()
    return Effect.gen(function*() {
      const clocks = yield* Clocks
      const run = yield* Scope.make()
      yield* Scope.extend(clocks.attach(one), run)
      yield* pass(1)
      yield* Scope.close(run, Exit.void)
      yield* pass(1, 60_000)
      yield* clocks.follow(one)
      assert.strictEqual(told.length, 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})
