import { watch } from "node:fs"
import * as fs from "node:fs/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { VmId } from "@banger/domain/ids.ts"
import { FileFailed } from "../files.ts"
import { VmExits } from "./contract.ts"
import { parseExit, type VmExit } from "./exit.ts"

/** One inotify watch on the directory where systemd writes how each unit ended; nobody polls. */
export const layer = (directory: string) => Layer.scoped(VmExits, Effect.gen(function*() {
  const runtime = yield* Effect.runtime<never>()
  // Each waiter by itself: one that leaves takes nothing from the others.
  const waiting = new Set<{ readonly vm: VmId; readonly end: Deferred.Deferred<VmExit> }>()
  const settle = async (vm: VmId) => {
    const text = await fs.readFile(`${directory}/${vm}`, "utf8").catch(() => "")
    // An empty file is one that the shell of ExecStopPost has opened and not yet written: the next event completes it.
    if (!text.endsWith("\n")) return
    for (const waiter of waiting) if (waiter.vm === vm) Deferred.unsafeDone(waiter.end, Effect.succeed(parseExit(text)))
  }
  yield* Effect.acquireRelease(
    Effect.try({
      try: () =>
        watch(directory, (_event, name) => {
          if (Schema.is(VmId)(name)) void settle(name)
        }).on("error", (error) => Runtime.runFork(runtime)(Effect.logError(`${directory} is not watched any more, ends of VMs are noticed at the next start of the daemon: ${error.message}`))),
      catch: (error) => new FileFailed({ path: directory, code: "", problem: `${String(error)}; sudo systemd-tmpfiles --create banger.conf makes it` })
    }),
    (watcher) => Effect.sync(() => watcher.close())
  )
  return {
    await: (vm) =>
      Effect.acquireUseRelease(
        Effect.tap(Effect.map(Deferred.make<VmExit>(), (end) => ({ vm, end })), (waiter) => Effect.sync(() => waiting.add(waiter))),
        ({ end }) => Effect.zipRight(Effect.promise(() => settle(vm)), Deferred.await(end)),
        (waiter) => Effect.sync(() => waiting.delete(waiter))
      )
  }
}))
