import { watch } from "node:fs"
import * as fs from "node:fs/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { VmId } from "@banger/domain/ids.ts"
import { FileFailed } from "../files.ts"
import { EXITS, exitFile } from "../paths.ts"
import { VmExits } from "./contract.ts"
import { parseExit, type VmExit } from "./exit.ts"

/** One inotify watch on the directory where systemd writes how each unit ended; nobody polls. */
export const layer = Layer.scoped(VmExits, Effect.gen(function*() {
  const waiting = new Map<VmId, Deferred.Deferred<VmExit>>()
  const settle = async (vm: VmId) => {
    const deferred = waiting.get(vm)
    if (deferred === undefined) return
    const text = await fs.readFile(exitFile(vm), "utf8").catch(() => "")
    // An empty file is one that the shell of ExecStopPost has opened and not yet written: the next event completes it.
    if (text.endsWith("\n")) Deferred.unsafeDone(deferred, Effect.succeed(parseExit(text)))
  }
  yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        watch(EXITS, (_event, name) => {
          if (Schema.is(VmId)(name)) void settle(name)
        }),
      catch: (error) => new FileFailed({ path: EXITS, code: "", problem: `${String(error)}; sudo systemd-tmpfiles --create banger.conf makes it` })
    }),
    (watcher) => Effect.sync(() => watcher.close())
  )
  return {
    await: (vm) =>
      Effect.acquireUseRelease(
        Effect.gen(function*() {
          const deferred = waiting.get(vm) ?? (yield* Deferred.make<VmExit>())
          waiting.set(vm, deferred)
          return deferred
        }),
        (deferred) => Effect.zipRight(Effect.promise(() => settle(vm)), Deferred.await(deferred)),
        (deferred) => Effect.sync(() => waiting.get(vm) === deferred && waiting.delete(vm))
      )
  }
}))
