import * as RpcTest from "@effect/rpc/RpcTest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { DaemonApi } from "@banger/domain/api.ts"
import { VmName } from "@banger/domain/ids.ts"
import { Daemon } from "../daemon/daemon.ts"
import { fakeHandlers } from "../testing/fake-daemon.ts"
import { withFreshVm } from "./fresh-vm.ts"
import { ownProcess } from "./own-process.ts"

const quiet = { event: () => {}, begun: () => {}, phase: () => {}, doing: () => {}, detail: () => {}, note: () => {}, ready: () => {}, timed: (message: string) => message, end: () => {} }

describe("a throw-away VM whose agent never answers", () => {
  it.scoped("is kept, with the command that shows its console", () =>
    Effect.gen(function*() {
      const { calls, handlers } = fakeHandlers("", "/nonexistent/v.sock", { consoleLog: "" })
      const client = yield* RpcTest.makeClient(DaemonApi).pipe(Effect.provide(handlers))
      const run = withFreshVm({ name: VmName.make("silent"), ephemeral: ownProcess() }, quiet, false, () => Effect.die("it was reached")).pipe(
        Effect.provide(Layer.succeed(Daemon, client as typeof Daemon.Service)))
      const fiber = yield* Effect.fork(Effect.flip(run))
      yield* TestClock.adjust("31 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { _tag: "StepFailed", fix: "banger vm logs silent shows its console" })
      assert.deepStrictEqual(calls.map(([call]) => call), ["Create", "Hold", "Keep"])
    }))
})
