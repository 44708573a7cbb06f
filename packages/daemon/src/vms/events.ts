import * as fs from "node:fs/promises"
import { file } from "@banger/capabilities/files.ts"
import type { VmId } from "@banger/domain/ids.ts"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"

/** What happened to each VM, a line each, kept beside its record and gone with it. */
export class Events extends Context.Tag("@banger/daemon/Events")<Events, {
  /** Never fails: a line that cannot be written is in the daemon's own log. */
  readonly append: (vm: VmId, message: string) => Effect.Effect<void>
  readonly lines: (vm: VmId, follow: boolean) => Stream.Stream<string>
}>() {
  /** `directory` holds one directory for each VM. */
  static readonly layer = (directory: string) => Layer.effect(Events, Effect.gen(function*() {
    const log = (vm: VmId) => `${directory}/${vm}/events.log`
    const feed = yield* PubSub.unbounded<{ readonly vm: VmId; readonly line: string }>()
    const past = (vm: VmId) =>
      file(log(vm), () => fs.readFile(log(vm), "utf8")).pipe(
        Effect.map((text) => text.split("\n").filter((line) => line !== "")),
        // No event yet, or the VM is being deleted.
        Effect.orElseSucceed((): ReadonlyArray<string> => [])
      )
    return {
      append: (vm, message) =>
        Effect.gen(function*() {
          const line = `${new Date(yield* Clock.currentTimeMillis).toISOString()} ${message}`
          yield* Effect.logInfo(message).pipe(Effect.annotateLogs({ vm }))
          yield* file(log(vm), () => fs.appendFile(log(vm), `${line}\n`, { mode: 0o600 })).pipe(
            Effect.catchAll((error) => Effect.logWarning(error.message))
          )
          yield* PubSub.publish(feed, { vm, line })
        }),
      lines: (vm, follow) =>
        Stream.unwrapScoped(Effect.gen(function*() {
          if (!follow) return Stream.fromIterable(yield* past(vm))
          // Subscribed before the past is read: an event between the two is in both, and told once.
          const next = yield* PubSub.subscribe(feed)
          const before = yield* past(vm)
          const after = Stream.fromQueue(next).pipe(
            Stream.filter((event) => event.vm === vm && !before.includes(event.line)),
            Stream.map(({ line }) => line)
          )
          return Stream.concat(Stream.fromIterable(before), after)
        }))
    }
  }))
}
