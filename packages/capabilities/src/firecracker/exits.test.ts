import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { VmId } from "@banger/domain/ids.ts"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { temporary } from "../testing/temporary.ts"
import { watched } from "../watched.ts"
import { VmExits } from "./contract.ts"
import { layer } from "./exits.ts"

const vm = VmId.make("00000000000000a1")

/** As ExecStopPost does it: beside the name, then renamed. */
const ends = (directory: string, text: string) =>
  Effect.sync(() => {
    fs.writeFileSync(path.join(directory, `.${vm}`), text)
    fs.renameSync(path.join(directory, `.${vm}`), path.join(directory, vm))
  })

const inDirectory = <A, E>(test: (directory: string) => Effect.Effect<A, E, VmExits>) =>
  Effect.scoped(Effect.flatMap(temporary, (directory) => Effect.provide(test(directory), layer(directory))))

describe("exits", () => {
  it.live("tells an end that comes, and one that came before", () => inDirectory((directory) => Effect.gen(function*() {
    const exits = yield* VmExits
    const waiting = yield* Effect.fork(exits.await(vm))
    yield* Effect.yieldNow()
    yield* ends(directory, "signal killed KILL\n")
    assert.strictEqual((yield* Fiber.join(waiting)).reason, "signal 9 (SIGKILL)")
    assert.strictEqual((yield* exits.await(vm)).reason, "signal 9 (SIGKILL)")
  })))

  it.live("tells an end where the kernel has no watch left to give, and where the directory comes later", () => Effect.scoped(Effect.gen(function*() {
    const directory = path.join(yield* temporary, "later")
    const none = (paths: ReadonlyArray<string>, look: () => void) => watched(paths, look, () => { throw new Error("ENOSPC: inotify") })
    for (const watch of [none, watched]) {
      yield* Effect.gen(function*() {
        const exits = yield* VmExits
        const waiting = yield* Effect.fork(exits.await(vm))
        yield* Effect.yieldNow()
        fs.mkdirSync(directory)
        yield* ends(directory, "success exited 0\n")
        assert.isTrue((yield* Fiber.join(waiting)).clean)
        fs.rmSync(directory, { recursive: true })
      }).pipe(Effect.provide(layer(directory, watch)), Effect.scoped)
    }
  })))

  it.live("a waiter that leaves takes nothing from another", () => inDirectory((directory) => Effect.gen(function*() {
    const exits = yield* VmExits
    const [leaves, stays] = [yield* Effect.fork(exits.await(vm)), yield* Effect.fork(exits.await(vm))]
    yield* Effect.yieldNow()
    yield* Fiber.interrupt(leaves)
    yield* ends(directory, "success exited 0\n")
    assert.deepStrictEqual(yield* Fiber.join(stays), { clean: true, reason: "the guest shut down" })
  })))
})
