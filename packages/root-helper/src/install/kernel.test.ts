import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { withCommands } from "../testing/commands.ts"

const record = { version: "1", directory: "/nowhere", owner: { name: "somebody", uid: 1000, gid: 1000, home: "/" }, firecracker: "", jailer: "", ipForward: "0", command: "banger" }

/** What an install says of the running kernel where each of the owner's commands ends like this. */
const said = (stderr: string) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const { hostKernel } = yield* Effect.promise(() =>
      withCommands(({ CommandFailed }) => (argv) => new CommandFailed({ argv: [...argv], exitCode: 1, stderr }), () => null, () => import("./kernel.ts")))
    const installing = yield* Effect.fork(Effect.consoleWith((console) =>
      Effect.withConsole(hostKernel(record), { ...console, error: (line: string) => Effect.sync(() => void lines.push(line)) })))
    yield* TestClock.adjust("1 minute")
    yield* Fiber.join(installing)
    return lines.join("\n")
  })

describe("a kernel that cannot be imported", () => {
  it.effect("is no reason to fail an install, which says why and what to do", () => Effect.gen(function*() {
    const lines = yield* said(JSON.stringify({ error: { message: "the host's disk is nearly full", hint: "banger prune" } }))
    assert.match(lines, /^the running kernel \S+ is not imported: the host's disk is nearly full\n {2}banger prune\n {2}banger kernel pull/)
  }))

  it.effect("is told in the command's own words where they are no error of banger's", () => Effect.gen(function*() {
    assert.match(yield* said("runuser: user somebody does not exist\n"), /is not imported: runuser: user somebody does not exist\n/)
  }))
})
