import * as fs from "node:fs/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { VmId } from "@banger/domain/ids.ts"
import { watched } from "../watched.ts"
import { VmExits } from "./contract.ts"
import { parseExit, type VmExit } from "./exit.ts"

/** One watch on the directory where systemd writes how each unit ended; without one to be had the directory is looked at. */
export const layer = (directory: string, watch = watched) => Layer.scoped(VmExits, Effect.gen(function*() {
  // Each waiter by itself: one that leaves takes nothing from the others.
  const waiting = new Set<{ readonly vm: VmId; readonly end: Deferred.Deferred<VmExit> }>()
  const settle = async ({ end, vm }: { readonly vm: VmId; readonly end: Deferred.Deferred<VmExit> }) => {
    const text = await fs.readFile(`${directory}/${vm}`, "utf8").catch(() => "")
    // An empty file is one that the shell of ExecStopPost has opened and not yet written: the next event completes it.
    if (text.endsWith("\n")) Deferred.unsafeDone(end, Effect.succeed(parseExit(text)))
  }
  yield* watch([directory], () => waiting.forEach((waiter) => void settle(waiter)))
  return {
    await: (vm) =>
      Effect.acquireUseRelease(
        Effect.tap(Effect.map(Deferred.make<VmExit>(), (end) => ({ vm, end })), (waiter) => Effect.sync(() => waiting.add(waiter))),
        (waiter) => Effect.zipRight(Effect.promise(() => settle(waiter)), Deferred.await(waiter.end)),
        (waiter) => Effect.sync(() => waiting.delete(waiter))
      )
  }
}))
