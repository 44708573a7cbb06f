import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { temporary } from "@banger/capabilities/testing/temporary.ts"
import { VmId } from "@banger/domain/ids.ts"
import { assert, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Events } from "./events.ts"

const vm = VmId.make("00000000000000a1")
const HOUR = 3_600_000

it.live("what happened is as long ago as it is, whatever the host's clock was set to since", () =>
  Effect.gen(function*() {
    const directory = yield* temporary
    mkdirSync(`${directory}/${vm}`)
    const log = `${directory}/${vm}/events.log`
    yield* Effect.gen(function*() {
      const events = yield* Events
      const told = (within: number) => Effect.map(Stream.runCollect(events.lines(vm, false, within)), (lines) => Chunk.toReadonlyArray(lines).map((line) => line.replace(/^\S+ /, "")))
      yield* events.append(vm, "running")
      // The clock was four hours ahead then, or two hours behind.
      const line = readFileSync(log, "utf8")
      const time = line.split("\t")[0] ?? ""
      for (const step of [4 * HOUR, -2 * HOUR]) {
        writeFileSync(log, line.replace(time, new Date(Date.parse(time) + step).toISOString()))
        assert.deepStrictEqual(yield* told(60_000), ["running"])
      }
      // Of another boot, and of an earlier version, only the time is known.
      appendFileSync(log, line.replace(/\t[0-9a-f]{8}:/, "\t00000000:").replace("running", "before") + `${new Date(Date.now() - HOUR).toISOString()} created\n`)
      assert.deepStrictEqual(yield* told(60_000), ["running", "before"])
      assert.deepStrictEqual(yield* told(Infinity), ["running", "before", "created"])
    }).pipe(Effect.provide(Events.layer(directory)))
  }).pipe(Effect.scoped))
